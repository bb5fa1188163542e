"""The migration itself: run, show, ask, write, report."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from migrate.commands.output import Progress, display_root, print_failures, show_report, write_reports
from migrate.commands.settings import build_request
from migrate.discover import root_of
from migrate.errors import RefusedError, UsageError
from migrate.findings import Finding
from migrate.git import check_clean
from migrate.journal import Journal, home
from migrate.report.model import FileResult, Report, to_json
from migrate.run import Run, run
from migrate.write import Target, components, write_all

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.commands.settings import Request


def migrate_command(*, dry_run: bool, check: bool, allow_dirty: bool, interactive: bool, **options: Any) -> int:
    """Do a run as the command line asks; return the exit code."""
    request = build_request({**options, "allow_dirty": allow_dirty})
    writes = not (dry_run or check)
    if interactive and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--interactive asks questions, and there is no terminal to answer them")
    root = root_of(request.settings.paths)
    if writes:
        _check_journal(root)
        if not request.allow_dirty:
            check_clean(root)
    with Progress() as progress:
        result = run(request.settings, say=progress.phase, dry_run=not writes)
    result.report.root = display_root(result.tree.root)
    if interactive and writes:
        from migrate.commands.interactive import choose  # noqa: PLC0415 - only on a terminal

        choose(result)
    if writes:
        _write(result)
    _show(result.report, request, diff=dry_run)
    return _exit_code(result.report, check=check)


def _check_journal(root: Path) -> None:
    if Journal(home(root)).unfinished() is not None:
        raise RefusedError("an earlier run was killed while it wrote: say resonate-migrate undo first")


def _write(result: Run) -> None:
    report = result.report
    targets = {one.path: _target(result, one) for one in report.changed}
    if not targets:
        return
    journal = Journal(home(result.tree.root))
    parts = [[targets[path] for path in part] for part in components({path: result.groups[path] for path in targets})]
    problems = write_all(parts, journal)
    reasons = {path: problem.reason.removeprefix(f"{path} ") for path, problem in problems.items()}
    report.files = [
        replace(one, status="failed", reason=reasons[one.path], new=None) if one.path in problems else one
        for one in report.files
    ]
    report.findings += [
        Finding(path, 1, 1, problem.code, "error", f"{reasons[path]}: this file and what belongs to it was not written")
        for path, problem in problems.items()
    ]
    report.findings.sort()
    report.workflows = [replace(one, tier="manual") if one.path in problems else one for one in report.workflows]
    journal.keep_report(json.dumps(to_json(report)))


def _target(result: Run, one: FileResult) -> Target:
    source = result.loaded.sources.get(one.path) if result.loaded is not None else None
    assert one.encoded is not None
    if source is None:
        return Target(one.path, result.tree.root / one.path, one.encoded, None, 0o644)
    return Target(one.path, source.file, one.encoded, source.digest, source.mode)


def _show(report: Report, request: Request, *, diff: bool) -> None:
    write_reports(report, request.reports)
    print_failures(report)
    if request.output == "json":
        click.echo(json.dumps(to_json(report), indent=2))
    else:
        show_report(report, diff=diff)


def _exit_code(report: Report, *, check: bool) -> int:
    if report.failed or any(one.level == "error" for one in report.findings):
        return 3
    return 1 if check and report.changed else 0
