"""Unified diffs of a run's files."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.report.model import FileResult


def unified(result: FileResult) -> Iterator[str]:
    """Yield the lines of a file's diff, with their line ends."""
    if result.new is None:
        return
    old, new = lines_of(result.old), lines_of(result.new)
    before = f"a/{result.path}" if result.old else "/dev/null"
    for line in difflib.unified_diff(old, new, before, f"b/{result.path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def lines_of(text: str) -> list[str]:
    """Split as editors do, line ends kept; ``str.splitlines`` also splits at form feeds."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def count(old: str, new: str) -> tuple[int, int]:
    """Return the numbers of added and removed lines."""
    changes = list(difflib.unified_diff(lines_of(old), lines_of(new), n=0))[2:]
    return sum(line[0] == "+" for line in changes), sum(line[0] == "-" for line in changes)
