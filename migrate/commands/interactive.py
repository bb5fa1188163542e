"""Ask about each group of files before it is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from migrate.commands.output import show_report
from migrate.report.model import Report
from migrate.write import components

if TYPE_CHECKING:
    from migrate.run import Run

_CHOICES = "y: write, n: leave, a: write all the rest, q: leave all the rest"


def choose(result: Run) -> None:
    """Show each component's diff and keep what the person agrees to.

    Groups never share a file with another component, so leaving one out keeps the rest consistent.
    """
    report = result.report
    changed = {one.path: one for one in report.changed}
    parts = components({path: result.groups[path] for path in changed})
    left: set[str] = set()
    answer = ""
    for number, part in enumerate(parts, 1):
        if answer not in ("a", "q"):
            shown = Report(report.source, report.root, report.dry_run, [changed[path] for path in part])
            show_report(shown, diff=True)
            answer = click.prompt(
                f"[{number}/{len(parts)}] Write these? ({_CHOICES})",
                type=click.Choice(["y", "n", "a", "q"]),
                show_choices=False,
            )
        if answer in ("n", "q"):
            left |= set(part)
    report.files = [
        replace(one, status="unchanged", added=0, removed=0, new=None, reason="left by choice")
        if one.path in left
        else one
        for one in report.files
    ]
    report.workflows = [replace(one, tier="manual") if one.path in left else one for one in report.workflows]
