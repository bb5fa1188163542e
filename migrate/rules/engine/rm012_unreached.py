"""RM012: durable code that no workflow reaches."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM012",
    title="Durable code that no workflow reaches",
    family="engine",
    level="review",
    applicability="manual",
    what="A function that holds durable calls and that no workflow of the project calls.",
    why="It cannot be told whether it becomes a generator: nothing says that the runtime drives it.",
    action="Remove it, or call it from a workflow and run again.",
)
