"""RM551: what a retried step raises in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM551",
    title="A retried step raises its own last error",
    family="semantics",
    level="note",
    applicability="review",
    what="""\
DBOS raises `DBOSMaxStepRetriesExceeded`, with all errors in `.errors`, when a step with `retries_allowed=True` has made
its last attempt. Here the last error itself is raised.""",
    why="""\
`except Exception` catches both. A narrower handler (`except ConnectionError`) saw nothing under DBOS and now sees the
error; and a text made from the error says something else.""",
    action="Look at the handlers around calls of the step that catch something narrower than Exception, or print it.",
    minutes=5,
)


def tell(facts: Facts, at: At, name: str) -> None:
    """Say it at the mark of a retried step."""
    message = f"step {name} raises its own last error in the end; DBOS raised DBOSMaxStepRetriesExceeded around it"
    facts.tell(at, RULE.code, "note", message, RULE.action)
