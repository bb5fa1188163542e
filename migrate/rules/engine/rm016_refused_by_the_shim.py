"""RM016: a call that the shim refuses."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM016",
    title="Call that the shim refuses",
    family="engine",
    level="manual",
    applicability="manual",
    what=(
        "A file on the shim reaches for something that only the original's server has: its operator service, the state "
        "of its task queues, worker versions. The import works; the call raises UnsupportedFeatureError by name."
    ),
    why="An answer that means nothing would be worse than none.",
    action="Take the call out, or the program that makes it.",
    minutes=15,
)
