"""RM004: file is nested too deeply."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM004",
    title="File is nested too deeply",
    family="engine",
    level="error",
    applicability="manual",
    what=(
        "A file whose expressions or blocks are nested so deeply that its tree cannot be walked. It is left as it is."
    ),
    why="Such files are generated in practice, and walking them would end the process.",
    action="Leave the file out with --exclude, or split the expression.",
    minutes=10,
)
