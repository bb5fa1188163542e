"""``explain`` and ``rules``."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict

import click

from migrate.rules.catalogue import rule, rules

#: Width of explanations.
_PAGE = 96


def explain_command(code: str) -> int:
    """Print what one code means."""
    found = rule(code)
    click.echo(f"{found.code}  {found.title}\n")
    click.echo(f"level: {found.level}   applicability: {found.applicability}   source: {found.family}\n")
    for heading, text in (("What", found.what), ("Why", found.why), ("What to do", found.action)):
        click.echo(f"{heading}\n{_indented(text)}\n")
    return 0


def _indented(text: str) -> str:
    """Return a text indented, its paragraphs broken to the width of a page; code blocks stay as they are."""
    out: list[str] = []
    for line in text.strip().splitlines():
        is_code = line.startswith((" ", "\t")) or len(line) <= _PAGE
        out += (
            [f"  {line}".rstrip()]
            if is_code
            else textwrap.wrap(line, _PAGE, initial_indent="  ", subsequent_indent="  ")
        )
    return "\n".join(out)


def rules_command(output: str) -> int:
    """Print all codes."""
    found = rules()
    if output == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return 0
    for one in found:
        click.echo(f"{one.code}  {one.level:<7} {one.applicability:<7} {one.title}")
    return 0
