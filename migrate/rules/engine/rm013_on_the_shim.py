"""RM013: workflow keeps its code and runs on the shim."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM013",
    title="Workflow keeps its code and runs on the shim",
    family="engine",
    level="review",
    applicability="review",
    what=(
        "A workflow that cannot become generator code, or belongs together with one that cannot. The imports of its "
        "files move from the SDK to the drop-in: `from temporalio import workflow` becomes "
        "`from compat.temporal import workflow`. Nothing else changes. The message says what keeps it from going "
        "further. --max-tier helper leaves such workflows on the original SDK."
    ),
    why="The program runs on Resonate today, and old-style and migrated workflows call and signal each other.",
    action="Nothing, for it to run. To get generator code, solve the reason that is given, and run again.",
    minutes=30,
)
