"""Read a DBOS project: mark its functions, see what runs inside workflows, and give every use to its rule."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, cast

from migrate.plan.survey import Bridge
from migrate.rules.dbos import (
    rm201_unknown,
    rm210_workflow,
    rm211_step,
    rm212_step_call,
    rm213_helper,
    rm214_transaction,
    rm215_run_step,
    rm217_gather,
    rm218_child,
    rm220_events,
    rm221_messages,
    rm230_start,
    rm231_queue,
    rm232_handle,
    rm233_enqueue_options,
    rm234_debouncer,
    rm240_sleep,
    rm241_schedule,
    rm242_timeout,
    rm250_workflow_id,
    rm251_identity,
    rm252_logger,
    rm253_span,
    rm255_clock,
    rm260_wiring,
    rm270_classes,
    rm280_management,
    rm556_blocking,
    rm557_catches_all,
    rm558_changed_argument,
)
from migrate.rules.dbos.facts import Facts, Marked
from migrate.rules.dbos.starts import read_start
from migrate.rules.dbos.vocabulary import (
    CANCEL,
    DBOS,
    DEBOUNCING,
    DESTROY,
    GET_EVENT,
    HANDLES,
    LAUNCH,
    LOGGER,
    RECV,
    RESET,
    RETRIEVE,
    RUN_STEP,
    SEND,
    SET_ENQUEUE_OPTIONS,
    SET_EVENT,
    SET_TIMEOUT,
    SET_WORKFLOW_ID,
    SLEEP,
    SPAN,
    STEP,
    WORKFLOW,
    WORKFLOW_ID,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.index.model import Definition, Module
    from migrate.index.project import Project
    from migrate.rules.dbos.facts import At, Role

#: External name of what is called -> rule that notes the call.
CALLS: Final[dict[str, Callable[[Facts, Module, ast.Call], None]]] = {
    DBOS: rm260_wiring.survey,
    LAUNCH: rm260_wiring.survey,
    DESTROY: rm260_wiring.survey,
    RESET: rm260_wiring.survey_reset,
    SET_WORKFLOW_ID: rm250_workflow_id.survey,
    **dict.fromkeys(SLEEP, rm240_sleep.survey),
    **dict.fromkeys(SET_EVENT | GET_EVENT, rm220_events.survey),
    **dict.fromkeys(SEND | RECV, rm221_messages.survey),
    **dict.fromkeys(RETRIEVE, rm232_handle.survey_retrieve),
    **dict.fromkeys(RUN_STEP, rm215_run_step.survey),
    **dict.fromkeys(CANCEL, rm280_management.survey),
    SET_TIMEOUT: rm242_timeout.survey,
    SET_ENQUEUE_OPTIONS: rm233_enqueue_options.survey,
    **dict.fromkeys(DEBOUNCING, rm234_debouncer.survey),
    rm214_transaction.CREATE: rm214_transaction.survey_create,
    rm214_transaction.DATASOURCE: rm214_transaction.survey_create,
    rm214_transaction.RUN: rm214_transaction.survey_run,
    rm214_transaction.SESSION: rm214_transaction.survey_session,
    rm217_gather.GATHER: rm217_gather.survey,
}
#: External name of an attribute or annotation -> rule that notes the mention.
MENTIONS: Final[dict[str, Callable[[Facts, Module, ast.Attribute], None]]] = {
    LOGGER: rm252_logger.survey,
    SPAN: rm253_span.survey,
    WORKFLOW_ID: rm251_identity.survey,
}
_MARKS: Final[dict[str, Role]] = {
    WORKFLOW: "workflow",
    STEP: "step",
    rm214_transaction.TRANSACTION: "transaction",
}


def survey(project: Project) -> Facts:
    """Find everything."""
    facts = Facts(project)
    _mark(facts)
    _claim_aliases(facts)
    _walk_inside(facts)
    rm231_queue.collect(facts)
    for mark in facts.marked.values():
        if mark.role == "workflow":
            rm210_workflow.survey(facts, mark)
            rm241_schedule.survey_decorator(facts, mark)
        elif mark.role == "transaction":
            rm214_transaction.survey(facts, mark)
        else:
            rm211_step.survey(facts, mark)
            rm558_changed_argument.survey(facts, mark)
    rm270_classes.survey(facts)
    for module in project.modules.values():
        _survey_module(facts, module)
    for mark in facts.marked.values():
        if mark.role == "workflow":
            rm230_start.survey_mentions(facts, mark)
        else:
            rm212_step_call.survey_mentions(facts, mark)
    _survey_late(facts)
    rm260_wiring.lay_bridges(facts)
    _let_tests_be(facts)
    return facts


def _let_tests_be(facts: Facts) -> None:
    """A test follows what it tests and holds nothing."""
    links, facts.survey.links = facts.survey.links, []
    for first, second in links:
        if first.module.is_test == second.module.is_test:
            facts.survey.links.append((first, second))
        else:
            test, tested = (first, second) if first.module.is_test else (second, first)
            facts.survey.bridges.append(Bridge(test, tested, is_breakable=False))


def _mark(facts: Facts) -> None:
    for definition in facts.project.definitions():
        if isinstance(definition.node, ast.ClassDef):
            continue
        for name, role in _MARKS.items():
            decorator = facts.project.decorator(definition, name)
            if decorator is not None:
                kind = "workflow" if role == "workflow" else "step"
                unit = facts.survey.unit(kind, definition.name, definition.module, definition.node, definition)  # type: ignore[arg-type]
                facts.marked[definition] = Marked(role, definition, decorator, unit)
                facts.survey.opaque.add(definition)


def _claim_aliases(facts: Facts) -> None:
    """Explain ``step = DBOS.step``: the assignment goes when everything that it marks has moved."""
    for mark in list(facts.marked.values()):
        module = mark.definition.module
        function = mark.decorator.func if isinstance(mark.decorator, ast.Call) else mark.decorator
        bindings = module.scope.bindings.get(function.id, []) if isinstance(function, ast.Name) else []
        if len(bindings) != 1 or bindings[0].how != "assign" or not isinstance(bindings[0].node, ast.Assign):
            continue
        statement, value = bindings[0].node, bindings[0].value
        if value is None or not isinstance(value, ast.Attribute):
            continue
        facts.claim(value)
        at = facts.aliases.setdefault(statement, facts.at_wiring(module, statement))
        facts.survey.link(at.unit, mark.unit)
    for at in facts.aliases.values():
        _drop_alias(facts, at)


def _drop_alias(facts: Facts, at: At) -> None:
    facts.later(at, lambda job: at.file(job).remove(at.node, code=rm211_step.RULE.code))


def _walk_inside(facts: Facts) -> None:
    """Find the helpers that workflows reach by plain calls."""
    for workflow in facts.workflows():
        seen: set[Definition] = set()
        stack = [workflow.definition]
        while stack:
            for site in facts.project.callees(stack.pop()):
                callee = site.callee
                if callee in facts.marked or callee in seen or isinstance(callee.node, ast.ClassDef):
                    continue
                seen.add(callee)
                stack.append(callee)
                facts.reached.setdefault(callee, []).append(workflow)
        facts.inside |= seen


def _survey_module(facts: Facts, module: Module) -> None:
    nodes = list(module.sites)
    for node in nodes:
        if isinstance(node, ast.Call):
            _survey_call(facts, module, node)
    for node in nodes:  # after the calls: ``start_workflow(f).get_result()`` belongs to the start
        if isinstance(node, (ast.Attribute, ast.Name)):
            _survey_mention(facts, module, node)


def _survey_call(facts: Facts, module: Module, call: ast.Call) -> None:
    start = read_start(facts, module, call)
    if start is not None:
        inside = facts.place(module, call) in ("workflow", "nested")
        (rm218_child if inside else rm230_start).survey(facts, module, start)
        return
    mark = facts.called(module, call.func)
    if mark is not None:
        rm212_step_call.survey(facts, module, call, mark)
        return
    name = facts.project.external(module, call.func)
    if name in CALLS:
        facts.explain(call.func)
        CALLS[name](facts, module, call)


def _survey_mention(facts: Facts, module: Module, node: ast.Attribute | ast.Name) -> None:
    found = facts.project.resolve(module, node)
    if found is None or found.kind != "external":
        return
    if found.name in HANDLES:
        rm232_handle.survey_annotation(facts, module, node)
    elif rm232_handle.is_handle_member(found.name) and isinstance(node, ast.Attribute):
        rm232_handle.survey_attribute(facts, module, node)
    elif found.name == rm214_transaction.DATASOURCE and node not in facts.claimed:
        rm214_transaction.survey_mention(facts, module, node)
    elif found.name in MENTIONS:
        facts.explain(node)
        MENTIONS[found.name](facts, module, cast("ast.Attribute", node))


def _survey_late(facts: Facts) -> None:
    """What depends on which functions hold durable calls."""
    for module in facts.project.modules.values():
        for call, name in facts.project.calls(module):
            if name in rm240_sleep.RAW:
                rm240_sleep.survey_raw(facts, module, call)
    for module in facts.project.modules.values():
        for call, name in facts.project.calls(module):
            rm255_clock.survey(facts, module, call, name)
            rm556_blocking.survey(facts, module, call, name)
        for node in list(module.sites):
            if isinstance(node, ast.ExceptHandler):
                rm557_catches_all.survey(facts, module, node)
    rm212_step_call.survey_dynamic(facts)
    rm231_queue.survey_options(facts)
    rm213_helper.survey(facts)
    rm251_identity.survey_contexts(facts)
    rm201_unknown.survey(facts)
    durable = facts.durable()
    for workflow in facts.workflows():
        if workflow.definition in durable:
            facts.survey.root(workflow.definition, workflow.unit)
