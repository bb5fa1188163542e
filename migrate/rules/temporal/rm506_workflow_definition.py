"""RM506: options of a workflow's definition."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM506",
    title="Options of a workflow's definition",
    family="semantics",
    level="note",
    applicability="review",
    what="""Sandbox, versioning and failure types of a workflow class are left out.""",
    why="""Every error that leaves a durable function ends the execution; Temporal retries the workflow task for
errors that are no failures.""",
    action="Look for errors that were meant to stop a workflow until its code is fixed.",
)
