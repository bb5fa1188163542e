"""What a run prints: progress on a terminal, the report, one line for each file that failed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.report.model import Report

#: What a run does, in order; the bar shows how far it is.
PHASES = ("reading", "planning", "rewriting")


class Progress:
    """A bar on standard error, on a terminal only, gone when the work is done."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def phase(self, name: str) -> None:
        """Show the phase that begins."""
        if self._shown:
            done = PHASES.index(name)
            bar = "#" * (done * 8) + "-" * ((len(PHASES) - done) * 8)
            sys.stderr.write(f"\r[{bar}] {name:<12}")
            sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def display_root(root: Path) -> str:
    """Return a directory as a person in the current directory would name it."""
    try:
        relative = os.path.relpath(root)
    except ValueError:  # another drive
        return str(root)
    return str(root) if relative.startswith(os.pardir) else relative


def print_failures(report: Report) -> None:
    """Print one line for each file that failed, or of which a part was backed out."""
    for one in report.files:
        if one.status not in ("failed", "rewritten") or one.reason is None:
            continue
        path = one.path if report.root in (".", "") else f"{report.root.rstrip('/')}/{one.path}"
        click.echo(f"{path}: {one.reason}", err=True)


def show_report(report: Report, *, diff: bool) -> None:
    """Print the report, with colours on a terminal."""
    from migrate.report.text import render, styled  # noqa: PLC0415 - not needed for JSON

    lines = render(report, diff=diff)
    if sys.stdout.isatty():
        styled(lines)
    else:
        click.echo("".join(f"{text}\n" for _, text in lines), nl=False)


def write_reports(report: Report, files: tuple[Path, ...]) -> None:
    """Write the report to files, each in the format of its suffix."""
    from migrate.report.files import render_file  # noqa: PLC0415 - jinja2 is loaded only for HTML and Markdown

    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(render_file(report, file.suffix), "utf-8")
