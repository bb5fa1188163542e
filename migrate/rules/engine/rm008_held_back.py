"""RM008: workflow stays, because what it belongs to stays."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM008",
    title="Workflow stays, because what it belongs to stays",
    family="engine",
    level="manual",
    applicability="manual",
    what=(
        "A workflow that could be converted, but shares a worker, a step, a helper or a client with something that "
        "cannot. The message names it. The whole component stays on the original SDK."
    ),
    why="A worker runs on one of the two systems. A project that is half moved does not work.",
    action="Solve what holds the other one back, or give it a worker and steps of its own, then run again.",
    minutes=30,
)
