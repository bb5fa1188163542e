"""RM190: patches of running executions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.branches import assume_true

if TYPE_CHECKING:
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM190",
    title="Patched workflow code",
    family="temporal",
    level="review",
    applicability="review",
    what="""`if workflow.patched("id"):` keeps the new branch only; `workflow.deprecate_patch("id")` goes.
Executions that began before the migration stay on Temporal, so the old branch has nobody left to run it.""",
    why="Executions are not carried over: all that start on Resonate start with the new code.",
    action="Drain the old executions on Temporal before its workers are switched off.",
    minutes=5,
)
PATCHED: Final = "temporalio.workflow.patched"
DEPRECATE: Final = "temporalio.workflow.deprecate_patch"


def convert(place: Place) -> None:
    """Convert one call."""
    place.claim()
    statement = place.statement
    if place.name == DEPRECATE:
        if isinstance(statement, ast.Expr) and statement.value is place.node:
            place.draft.act(place.module, place.node, lambda emit: emit.file.remove(statement, code=RULE.code))
        else:
            place.block(RULE.code, "deprecate_patch is part of an expression", "Make it a statement of its own.")
        return
    place.draft.note(
        place.module,
        place.node,
        RULE.code,
        "review",
        "the branch for executions older than this patch is left out",
        RULE.action,
    )
    assume_true(place, rule=RULE.code)
