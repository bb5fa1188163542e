"""RM503: how cancellation reaches steps and children."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM503",
    title="Cancellation of steps and children",
    family="semantics",
    level="review",
    applicability="review",
    what="""A cancelled execution gets `Cancelled` at its next yield, which is no Exception: clean-up in `except
Exception` does not see it, clean-up in `finally` does. Steps and children that it waits for are asked to stop and
not waited for, which is Temporal's TRY_CANCEL.""",
    why="""Options that say otherwise have no counterpart and are left out.""",
    action="Catch Cancelled too where clean-up must run; put work that must finish under ctx.shielded().",
)
