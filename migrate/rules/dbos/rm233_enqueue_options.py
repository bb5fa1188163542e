"""RM233: ``with SetEnqueueOptions(...)`` around a start in a queue."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos.rm250_workflow_id import drop, starts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM233",
    title="Options of enqueuing go to the start that they are for",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    with SetEnqueueOptions(priority=2):         resonate.options(priority=2).enqueue(
        queue.enqueue(index, url)                   queue, str(uuid4()), index, url)

`queue_partition_key` becomes `partition`, `delay_seconds` becomes `delay`. A deduplication id, a version of the
application, and a block around several starts keep their workflows on the shim.""",
    why="An option is an argument here, not a property of the surrounding block.",
    action="Give the options where the workflow is started: one start for each block, values without calls.",
    minutes=10,
)
_OPTIONS: Final[Mapping[str, str]] = {
    "priority": "priority",
    "queue_partition_key": "partition",
    "delay_seconds": "delay",
}


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Find the start that the options serve."""
    facts.claim(call.func)
    problem = _serve(facts, module, call)
    if problem:
        at = facts.at(module, call)
        facts.link_all(at.unit)
        facts.stay(at, RULE, f"SetEnqueueOptions: {problem}")


def _serve(facts: Facts, module: Module, call: ast.Call) -> str:
    item = module.parents.get(call)
    if not isinstance(item, ast.withitem) or item.optional_vars is not None or call.args:
        return "it is not the plain form `with SetEnqueueOptions(...):`"
    for entry in call.keywords:
        if entry.arg not in _OPTIONS:
            return f"{entry.arg or '**'} has no counterpart"
        if not isinstance(entry.value, (ast.Constant, ast.Name, ast.Attribute)):
            return f"the value of {entry.arg} is no constant or variable"
    statement = module.parents[item]
    assert isinstance(statement, (ast.With, ast.AsyncWith))
    starts = starts_in(facts, module, statement)
    if len(starts) != 1:
        return "the block starts several workflows, or none that is plain to see"
    given = [(_OPTIONS[entry.arg or ""], entry.value) for entry in call.keywords]
    facts.enqueue_options[starts[0]] = [one for one in given if getattr(one[1], "value", 0) is not None]
    drop(facts, facts.at_start(module, starts[0]), statement, item)
    return ""
