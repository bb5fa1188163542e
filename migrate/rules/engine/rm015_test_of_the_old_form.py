"""RM015: tests that stay as they are while what they test is rewritten."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM015",
    title="Test that stays as it is",
    family="engine",
    level="review",
    applicability="manual",
    what=(
        "A test never keeps from being rewritten what it tests. A test file that cannot be rewritten with it keeps its "
        "text; where there is a shim its imports move there, and its environment, client, worker and mocked activities "
        "run the rewritten workflows. One finding for each file says so, and what in it will fail: direct calls of "
        "functions that are generators now, and whatever the shim does not have."
    ),
    why="Tests use what no program uses, and changing what they say would hide a difference instead of showing it.",
    action="Run the test. Where it calls a workflow directly, start the workflow instead.",
    minutes=20,
)
