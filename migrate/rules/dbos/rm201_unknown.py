"""RM201: a use of DBOS that no rule knows. It is never left without a word."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos import rm234_debouncer
from migrate.rules.dbos.vocabulary import DEBOUNCER, HANDLES

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM201",
    title="A use of DBOS that has no generator form",
    family="dbos",
    level="manual",
    applicability="manual",
    what="""\
Whatever comes from `dbos` and is not rewritten by another rule: management calls, streams, spans, Kafka consumers,
private modules. The part of the program that it belongs to stays on DBOS and keeps working. A call that addresses
executions by id, or lists them, keeps every workflow there, because it would not see migrated ones. In a test it keeps
nothing: the test is reported, and has to be rewritten.""",
    why="Half of a program on each side would lose messages between them.",
    action="Replace it by what the message names, then run again.",
    minutes=20,
)

#: What these need instead, for the ones that are met most.
_HINTS: Final = {
    "list_workflows": "resonate.list gives executions",
    "get_workflow_status": "resonate.describe gives the state of an execution",
    "write_stream": "an event holds the newest value; a stream of values stays on the shim",
    "patch": "@durable(version=2) beside the old function keeps running executions on the old code",
    "kafka_consumer": "start an execution for each message, with an id made of topic, partition and offset",
}
#: Names that are only looked at: they keep nothing on DBOS.
_PASSIVE: Final = ("dbos.DBOSConfig", "dbos.WorkflowStatus", "dbos.StepInfo")
#: Errors: a handler that names one waits for what is not raised any more. They address nothing by id.
_ERRORS: Final = ("dbos.error", "dbos._error")
#: Decorators (and the class that has them), kept in a variable or called by hand: what they mark is unknown, and so are
#: the steps that it calls.
_MARKS: Final = frozenset({"DBOS", "workflow", "step", "transaction", "dbos_class", "scheduled"})


def survey(facts: Facts) -> None:
    """Report every mention of DBOS that is not explained."""
    for module in facts.project.modules.values():
        for node in list(module.sites):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in facts.claimed:
                _survey_name(facts, module, node)
            elif isinstance(node, ast.Attribute):
                _survey_member(facts, module, node)


def _survey_name(facts: Facts, module: Module, node: ast.Name) -> None:
    found = facts.project.resolve(module, node)
    if found is None or found.kind != "external" or not (found.name == "dbos" or found.name.startswith("dbos.")):
        return
    whole = _chain(module, node)
    report(facts, module, node, facts.project.external(module, whole) or found.name)


def _survey_member(facts: Facts, module: Module, node: ast.Attribute) -> None:
    """A member of an object of DBOS's: ``queue.enqueue``, ``ds.run_tx_step``, ``client.list_workflows``."""
    base = facts.project.resolve(module, node.value)
    if base is None or base.kind != "instance" or not base.name.startswith("dbos.") or base.name in HANDLES:
        return
    if node in facts.explained or not isinstance(node.ctx, ast.Load):
        return
    if base.name == DEBOUNCER:
        rm234_debouncer.survey_use(facts, module, node)
    else:
        report(facts, module, node, f"{base.name}.{node.attr}")


def _chain(module: Module, node: ast.AST) -> ast.AST:
    parent = module.parents.get(node)
    while isinstance(parent, ast.Attribute):
        node, parent = parent, module.parents.get(parent)
    return node


def report(facts: Facts, module: Module, node: ast.AST, name: str) -> None:
    """Keep what hangs on a use that no rule knows."""
    last = name.rpartition(".")[2].removesuffix("_async")
    hint = _HINTS.get(last, "")
    message = f"{name} has no generator form" + (f"; {hint}" if hint else "")
    if module.is_test and facts.place(module, node) == "outside" and facts.mark_of(module, node) is None:
        at = facts.at(module, node)
        facts.address_all(at.unit)
        facts.stay(at, RULE, f"this test uses {name}", action="Rewrite the test for the client.")
        return
    if name.startswith(_PASSIVE):
        facts.survey.report(module, node, RULE.code, "manual", message, RULE.action)
        return
    at = facts.at(module, node)
    if at.place == "outside" and not name.startswith(_ERRORS):
        facts.address_all(at.unit)
        if last in _MARKS:
            facts.link_steps(at.unit)
    facts.stay(at, RULE, message)
