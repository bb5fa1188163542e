"""RM516: how values are decoded."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM516",
    title="How values are decoded",
    family="semantics",
    level="note",
    applicability="review",
    what="""Arguments and results are decoded by annotation, as the pydantic converter of Temporal does.""",
    why="""A converter is a setting of the client in Temporal, and built in here.""",
    action="Annotate what travels.",
)
