"""RM242: ``with SetWorkflowTimeout(x):`` becomes a timeout at the starts in its block."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos.facts import At
from migrate.rules.dbos.nodes import count_arguments
from migrate.rules.dbos.rm250_workflow_id import drop, starts_in

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM242",
    title="SetWorkflowTimeout becomes a timeout at the call",
    family="dbos",
    level="review",
    applicability="review",
    what="""\
    with SetWorkflowTimeout(10):                resonate.options(timeout=10).run(str(uuid4()), checkout, order)
        checkout(order)

In a workflow it goes to `.options(timeout=10)`. Children end with their parent at the latest, as under DBOS. Whoever
waits gets a timeout error, where DBOS raised DBOSAwaitedWorkflowCancelledError.""",
    why="A deadline is an option here, not a property of the surrounding block.",
    action="Look at handlers that name DBOS's error, and at workflows that clean up when they are cancelled.",
    minutes=10,
)


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Find the starts that the timeout serves."""
    facts.claim(call.func)
    problem = _serve(facts, module, call)
    if problem:
        at = facts.at(module, call)
        facts.link_all(at.unit)
        facts.stay(at, RULE, f"SetWorkflowTimeout: {problem}")


def _serve(facts: Facts, module: Module, call: ast.Call) -> str:
    item = module.parents.get(call)
    if not isinstance(item, ast.withitem) or item.optional_vars is not None or count_arguments(call) != 1:
        return "it is not the plain form `with SetWorkflowTimeout(seconds):`"
    statement = module.parents[item]
    assert isinstance(statement, (ast.With, ast.AsyncWith))
    if len(statement.items) > 1:
        return "it shares its with statement with something else"
    value = call.args[0] if call.args else call.keywords[0].value
    if not isinstance(value, (ast.Constant, ast.Name, ast.Attribute)) or getattr(value, "value", 0) is None:
        return "the number of seconds is no constant or variable"
    starts = starts_in(facts, module, statement)
    if len(starts) != 1:
        return "the block starts several workflows, or none that is plain to see"
    facts.timeouts[starts[0]] = value
    served = facts.at_start(module, starts[0])
    drop(facts, served, statement, item)
    said = At(module, call, served.unit, served.place)
    facts.tell(said, RULE.code, "review", "a workflow that runs out of time ends with a timeout error", RULE.action)
    return ""
