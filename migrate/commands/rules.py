"""``explain`` and ``rules``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from migrate.rules.catalogue import rule, rules


def explain_command(code: str) -> int:
    """Print what one code means."""
    found = rule(code)
    click.echo(f"{found.code}  {found.title}\n")
    click.echo(f"level: {found.level}   applicability: {found.applicability}   source: {found.family}\n")
    for heading, text in (("What", found.what), ("Why", found.why), ("What to do", found.action)):
        click.echo(f"{heading}\n{_indented(text)}\n")
    return 0


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.strip().splitlines())


def rules_command(output: str) -> int:
    """Print all codes."""
    found = rules()
    if output == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return 0
    for one in found:
        click.echo(f"{one.code}  {one.level:<7} {one.applicability:<7} {one.title}")
    return 0
