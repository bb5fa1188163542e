"""The report as a file: HTML, Markdown, JSON or SARIF, by suffix."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from migrate.report.diff import unified
from migrate.report.model import to_json
from migrate.report.sarif import to_sarif

if TYPE_CHECKING:
    from migrate.report.model import Report


def render_file(report: Report, suffix: str) -> str:
    """Return the report in the format of a file suffix: ".html", ".md", ".json" or ".sarif"."""
    if suffix == ".json":
        return json.dumps(to_json(report), indent=2) + "\n"
    if suffix == ".sarif":
        return json.dumps(to_sarif(report), indent=2) + "\n"
    return _template(report, f"report{suffix}.j2", escape=suffix == ".html")


def _template(report: Report, name: str, *, escape: bool) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - a tenth of a second

    environment = Environment(
        loader=PackageLoader("migrate.report"),
        autoescape=escape,  # noqa: S701 - off for Markdown only, whose cells are escaped by their own filter
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(name).render(**_data(report))


def _cell(text: object) -> str:
    """Return text that cannot break out of a cell of a Markdown table."""
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").replace("`", "'")


def _data(report: Report) -> dict[str, Any]:
    left = [one for one in report.findings if one.level in ("manual", "error")]
    return {
        "report": report,
        "numbers": report.summary(),
        "left": left,
        "review": [one for one in report.findings if one.level == "review"],
        "notes": [one for one in report.findings if one.level == "note"],
        "codes": sorted(Counter(one.code for one in report.findings).items()),
        "diffs": [(one, [_classed(line) for line in unified(one)]) for one in report.changed if one.new is not None],
        "unhandled": [one for one in report.files if one.status == "failed"],
    }


def _classed(line: str) -> tuple[str, str]:
    kind = {"+": "add", "-": "del", "@": "at"}.get(line[0], "")
    return ("file" if line.startswith(("+++", "---")) else kind), line.rstrip("\n")
