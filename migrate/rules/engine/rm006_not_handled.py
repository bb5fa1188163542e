"""RM006: file cannot be read or written."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM006",
    title="File cannot be read or written",
    family="engine",
    level="error",
    applicability="manual",
    what=(
        "A file that is not readable, disappeared, changed during the run, is read-only, is too large, or is a "
        "symbolic link that leaves the tree. The files that must change together with it are left as well."
    ),
    why="Files that belong together are written together or not at all.",
    action="Make it readable and writable, then run again; or leave it out with --exclude.",
)
