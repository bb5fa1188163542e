"""RM010: function becomes a generator, or cannot."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM010",
    title="Function becomes a generator, or cannot",
    family="engine",
    level="manual",
    applicability="safe",
    what=(
        "A function that holds a durable call, or calls one that does, becomes a generator: `await helper(x)` becomes "
        "`yield from helper(ctx, x)`. As a finding: the function cannot change, because it is used as a value, is a "
        "property, stands in a lambda or comprehension, awaits something that is not durable, or is called from code "
        "that is not part of a workflow."
    ),
    why="A durable call is a yield, and a yield works only in functions that are driven by the runtime.",
    action=(
        "Call the function directly and from workflow code only, move what is not durable into a step, or make the "
        "whole function a step."
    ),
    minutes=15,
)
