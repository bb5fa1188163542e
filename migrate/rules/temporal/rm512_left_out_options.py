"""RM512: options without a counterpart."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM512",
    title="Option without a counterpart",
    family="semantics",
    level="note",
    applicability="review",
    what="""Summaries, memos, search attributes, priorities and ids of activities are left out.""",
    why="""They change what people see or find, not what the program does.""",
    action="Keep what people search for in tables of your own.",
)
