"""RM505: what an id that was used before means."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM505",
    title="An id that was used before",
    family="semantics",
    level="review",
    applicability="review",
    what="""`id_reuse_policy=` of a child with the value `ALLOW_DUPLICATE_FAILED_ONLY` becomes `if_exists="fail"`.""",
    why="""Temporal runs the id again if the last run failed; here an id that was used is refused however it ended.""",
    action="Look whether the parent expects a failed child to run again under its id.",
)
