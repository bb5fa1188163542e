"""Inventory and forecast: what is there, what would become of it, what a person would have to do."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from migrate.commands.output import Progress, display_root, print_failures, write_reports
from migrate.commands.settings import build_request
from migrate.report.model import to_json
from migrate.run import scan

if TYPE_CHECKING:
    from migrate.report.model import Report


def scan_command(**options: Any) -> int:
    """Plan without rendering; print the inventory."""
    request = build_request(options)
    with Progress() as progress:
        result = scan(request.settings, say=progress.phase)
    report = result.report
    report.root = display_root(result.tree.root)
    write_reports(report, request.reports)
    print_failures(report)
    if request.output == "json":
        click.echo(json.dumps(to_json(report), indent=2))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in inventory(report, result.units)))
    return 3 if report.failed else 0


def inventory(report: Report, units: Counter[str]) -> list[str]:
    """Return the lines of the inventory."""
    from migrate.rules.catalogue import rule_modules, rules  # noqa: PLC0415 - only where effort is asked for

    minutes = {rule.code: rule.minutes for rule in rules()} if rule_modules() else {}
    lines = [f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in sorted(units.items())]
    head = ", ".join(lines) or "nothing of Temporal or DBOS"
    out = [f"{report.root}: {head}", ""]
    width = max((len(one.name) for one in report.workflows), default=0)
    out += [
        f"  {one.name:<{width}}  {one.tier:<9}  {one.path}:{one.line}  {' '.join(one.codes)}".rstrip()
        for one in report.workflows
    ]
    left = Counter(one.code for one in report.open_findings)
    effort = sum(minutes.get(code, 5) * count for code, count in left.items())
    if left:
        out += ["", f"Left for a person: {sum(left.values())} findings, about {effort} minutes"]
        out += [f"  {code}  {count}" for code, count in sorted(left.items())]
    return out
