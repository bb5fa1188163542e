"""RM304: import of the old SDK is left over."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM304",
    title="Import of the old SDK is left over",
    family="project",
    level="manual",
    applicability="manual",
    what=(
        "An import of the old SDK that is still used in a rewritten file, although nothing in that file was found "
        "that has to stay; or the import of a file that has nothing to move, or that stays with what the shim cannot "
        "take."
    ),
    why="The file needs the old SDK at run time.",
    action="Move what uses the import by hand, or remove it.",
    minutes=10,
)
