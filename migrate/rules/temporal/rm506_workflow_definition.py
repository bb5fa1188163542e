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
    what="""Every error that leaves a durable function ends the execution. In Temporal only failures do
(ApplicationError and the like, or what `failure_exception_types=` names); for other errors the workflow task is
tried again until the code is fixed. Sandbox and versioning of a workflow class are left out.""",
    why="""An error of the code is an answer too: callers must not wait for ever.""",
    action="Look for errors that were meant to stop a workflow until its code is fixed.",
)
