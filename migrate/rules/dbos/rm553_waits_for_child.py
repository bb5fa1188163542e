"""RM553: a child whose result may not be asked for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM553",
    title="A workflow waits for a child whose result it may ask for",
    family="semantics",
    level="review",
    applicability="review",
    what="""\
A child is attached to its workflow if the workflow asks for its result anywhere, and a workflow does not end before its
attached children. DBOS let it end. Where the result is asked for under a condition only, the two differ.""",
    why="A workflow that ends later answers later.",
    action="Use ctx.detached instead of ctx.begin_rpc if the workflow must not wait.",
    minutes=5,
)
#: A branch that may not be taken.
_CONDITIONS: Final = (ast.If, ast.ExceptHandler, ast.IfExp, ast.While)


def tell(facts: Facts, at: At, results: list[ast.Call]) -> None:
    """Say it at the start, if every place that asks for the result stands under a condition."""
    shared = set(at.module.ancestors(at.node))
    ways = [[one for one in at.module.ancestors(result) if one not in shared] for result in results]
    if results and all(any(isinstance(one, _CONDITIONS) for one in way) for way in ways):
        message = "the result of this child may not be asked for; the workflow now waits for the child before it ends"
        facts.tell(at, RULE.code, "review", message, RULE.action)
