"""RM518: lists of executions on the shim."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM518",
    title="Executions that the shim does not list",
    family="semantics",
    level="review",
    applicability="review",
    what="""A client that stays on the shim lists and counts what it or a workflow of the shim has started. Children
that a rewritten workflow starts have none of Temporal's attributes and are not among them.""",
    why="""A report or a clean-up that goes by the list overlooks them.""",
    action="Ask for them by id, or let the parent tell of them.",
)
