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
    what="""A child or execution with an id of its own is found again by that id, also by other callers.""",
    why="""Temporal runs a closed id again; here the result that is stored under the id is given.""",
    action="Put something of the parent's id, or a date, into ids that must run again.",
)
