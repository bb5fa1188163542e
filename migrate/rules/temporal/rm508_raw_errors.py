"""RM508: texts of errors."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM508",
    title="Text of an error that is looked at",
    family="semantics",
    level="note",
    applicability="review",
    what="""A handler for every Exception looks at the error. Temporal's text is that of the wrapper (Activity task
failed), here it is the error's own.""",
    why="""Texts that are stored, compared or shown to people change.""",
    action="Compare the class of the error instead of its text.",
)
