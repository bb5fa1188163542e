"""Render the newest run, or a JSON report."""

from __future__ import annotations

import json
from pathlib import Path

from migrate.commands.output import show_report, write_reports
from migrate.commands.settings import check_suffixes
from migrate.errors import UsageError
from migrate.journal import DIRECTORY, home
from migrate.report.model import from_json


def report_command(file: Path | None, outputs: tuple[Path, ...]) -> int:
    """Read a report and render it."""
    check_suffixes(outputs)
    source = file if file is not None else home(Path.cwd()) / DIRECTORY / "last.json"
    try:
        data = json.loads(source.read_text("utf-8"))
    except FileNotFoundError:
        hint = "there was no run here yet" if file is None else f"{file} does not exist"
        raise UsageError(hint) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{source} is no report: {error}") from error
    report = from_json(data)
    if outputs:
        write_reports(report, outputs)
    else:
        show_report(report, diff=False)
    return 0
