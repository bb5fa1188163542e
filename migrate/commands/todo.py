"""The markers that are left in the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import click

from migrate.discover import discover
from migrate.errors import FileProblem
from migrate.source import decode, read_bytes

_MARKER: Final = re.compile(r"^[ \t]*#\s*(RM\d{3}): (.*?)\s*$")


def todo_command(paths: tuple[Path, ...], output: str) -> int:
    """Print each marker with its place."""
    found = markers(paths or (Path(),))
    if output == "json":
        click.echo(json.dumps(found, indent=2))
        return 0
    for one in found:
        click.echo(f"{one['path']}:{one['line']}  {one['code']}  {one['text']}")
    if not found:
        click.echo("no markers left")
    return 0


def markers(paths: tuple[Path, ...]) -> list[dict[str, str | int]]:
    """Return the markers below some paths, in order of files and lines."""
    tree = discover(paths)
    found: list[dict[str, str | int]] = []
    for file in tree.files:
        try:
            data = read_bytes(file, tree.root)
            lines = decode(tree.name(file), file, data).lines if b"# RM" in data else []
        except FileProblem as problem:
            click.echo(f"{tree.name(file)}: {problem.reason}", err=True)
            continue
        for number, line in enumerate(lines, 1):
            match = _MARKER.match(line)
            if match is not None:
                found.append({"path": tree.name(file), "line": number, "code": match[1], "text": match[2]})
    return found
