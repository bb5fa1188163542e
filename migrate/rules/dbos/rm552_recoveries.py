"""RM552: how often an execution is recovered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM552",
    title="Recoveries are not counted",
    family="semantics",
    level="review",
    applicability="review",
    what="""\
`@DBOS.workflow(max_recovery_attempts=3)` gives a run up when it was recovered more often than that. A durable
function is recovered until its deadline. The option is left out.""",
    why="A run that ends its process each time it is recovered goes on doing so.",
    action="Start it with a timeout, if a run that ends its process again and again must end.",
    minutes=5,
)


def tell(facts: Facts, at: At, name: str) -> None:
    """Say it at the option."""
    message = f"DBOS gave workflow {name} up after some recoveries; here it is recovered until its deadline"
    facts.tell(at, RULE.code, "review", message, RULE.action)
