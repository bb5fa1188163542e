"""The report for a terminal: lines with a style each; without a terminal the styles are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.report.diff import unified

if TYPE_CHECKING:
    from migrate.report.model import Report

Line = tuple[str, str]

_LEVELS: Final = {"note": "dim", "review": "yellow", "manual": "magenta", "error": "red"}
_TIERS: Final = {"idiomatic": "green", "helper": "green", "compat": "yellow", "manual": "magenta"}


def render(report: Report, *, diff: bool) -> list[Line]:
    """Return (style, text) for each line: diffs, workflows, findings, the summary."""
    lines: list[Line] = []
    if diff:
        for one in report.changed:
            lines += [(_diff_style(line), line.rstrip("\n")) for line in unified(one)]
        if lines:
            lines.append(("", ""))
    lines += _workflows(report)
    lines += _findings(report)
    lines += _summary(report)
    return lines


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[0], "")


def _workflows(report: Report) -> list[Line]:
    width = max((len(one.name) for one in report.workflows), default=0)
    lines = [
        (_TIERS[one.tier], f"{one.name:<{width}}  {one.tier:<9}  {one.path}:{one.line}") for one in report.workflows
    ]
    return [*lines, ("", "")] if lines else []


def _findings(report: Report) -> list[Line]:
    lines: list[Line] = []
    for one in report.findings:
        lines.append((_LEVELS[one.level], f"{one.path}:{one.line}:{one.column} {one.code} {one.level}: {one.message}"))
        if one.action:
            lines.append(("", f"    {one.action}"))
    return [*lines, ("", "")] if lines else []


def _summary(report: Report) -> list[Line]:
    numbers = report.summary()
    verb = "would be rewritten" if report.dry_run else "rewritten"
    lines: list[Line] = []
    if report.source == "auto":
        return [("", "nothing to do: no file imports temporalio or dbos")]
    tiers = ", ".join(f"{numbers[tier]} {tier}" for tier in _TIERS if numbers[tier])
    if numbers["workflows"]:
        lines.append(("bold", f"{_count(numbers['workflows'], 'workflow')}: {tiers}"))
    added, removed = sum(one.added for one in report.changed), sum(one.removed for one in report.changed)
    files = f"{_count(numbers['files'], 'file')}, {numbers['rewritten']} {verb} (+{added} -{removed})"
    failed = f", {len(report.failed)} failed" if report.failed else ""
    lines.append(("bold", f"{files}{failed}, {_count(numbers['findings'], 'finding')}, {numbers['seconds']:.1f} s"))
    if not report.dry_run and report.changed:
        lines.append(("dim", "resonate-migrate undo takes this back"))
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def styled(lines: list[Line]) -> None:
    """Print lines with colours; NO_COLOR and the width of the terminal are respected."""
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second, on terminals only
    from rich.text import Text  # noqa: PLC0415 - as above

    console = Console(highlight=False)
    for style, text in lines:
        console.print(Text(text, style=style), soft_wrap=True)
