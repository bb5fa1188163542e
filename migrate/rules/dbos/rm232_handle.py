"""RM232: workflow handles: results, ids, and looking up an execution by its id."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.dbos.handles import follow
from migrate.rules.dbos.nodes import awaited, count_arguments
from migrate.rules.dbos.vocabulary import HANDLE, HANDLES

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts
    from migrate.rules.dbos.handles import HandleUses

RULE: Final = Rule(
    code="RM232",
    title="A workflow handle becomes a handle or a promise",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
In a workflow `handle.get_result()` becomes `yield handle`. Elsewhere it becomes `handle.result()`, in async code
`await handle`; `handle.workflow_id` and `handle.get_workflow_id()` become `handle.id`, and
`DBOS.retrieve_workflow(id)` becomes `resonate.get(id)`.""",
    why="DBOS polls its database for a result; a promise tells.",
    action="Follow the handle by hand, and replace get_status() by what the program wants to know.",
    minutes=10,
)

_IDS: Final = frozenset({"workflow_id", "get_workflow_id"})


def survey_uses(facts: Facts, start: At, uses: HandleUses, *, gives_coroutines: bool) -> None:
    """Note what a function does with a handle that was followed from its start.

    Args:
        facts: the survey.
        start: the call that started the workflow.
        uses: where the handle goes.
        gives_coroutines: ``get_result()`` has to be awaited.
    """
    for result in uses.results:
        if result not in facts.explained:
            _survey_result(facts, facts.at(start.module, result), result, is_coroutine=gives_coroutines)
    for place in uses.ids:
        if place not in facts.explained:
            _survey_id(facts, facts.at(start.module, place), place)


def survey_attribute(facts: Facts, module: Module, node: ast.Attribute) -> None:
    """Note a member of a handle that was not followed but whose type is plain to see."""
    call = module.parents.get(node)
    whole = call if isinstance(call, ast.Call) and call.func is node else node
    if whole in facts.explained:
        return
    at = facts.at(module, node)
    if whole in facts.retrieved:
        facts.address_all(at.unit)
    else:
        facts.link_all(at.unit)
    owner = facts.project.external(module, node).rpartition(".")[0]
    if node.attr in _IDS:
        _survey_id(facts, at, whole)
    elif node.attr == "get_result" and isinstance(whole, ast.Call):
        _survey_result(facts, at, whole, is_coroutine=owner != HANDLE)
    else:
        facts.explain(whole)
        facts.stay(at, RULE, f"{node.attr} of a workflow handle has no counterpart yet")


def _survey_result(facts: Facts, at: At, call: ast.Call, *, is_coroutine: bool) -> None:
    facts.explain(call)
    assert isinstance(call.func, ast.Attribute)
    handle, node = call.func.value, awaited(at.module, call)
    if at.place == "workflow":
        if is_coroutine and node is call:
            facts.stay(at, RULE, "the coroutine of a result is not awaited where it is made")
            return
        facts.site(at, node)
        template = "yield {}"
    elif is_coroutine and node is call:
        template = "{}.aio.result()"
    else:
        template = "await {}" if at.is_async else "{}.result()"
    facts.later(at, lambda job: at.file(job).replace(node, code(template, handle), code=RULE.code))


def _survey_id(facts: Facts, at: At, whole: ast.expr) -> None:
    facts.explain(whole)
    attribute = whole.func if isinstance(whole, ast.Call) else whole
    assert isinstance(attribute, ast.Attribute)
    new = code("{}.id", attribute.value)
    facts.later(at, lambda job: at.file(job).replace(whole, new, code=RULE.code))


def survey_retrieve(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note ``DBOS.retrieve_workflow``."""
    facts.claim(call.func)
    at = facts.at(module, call)
    facts.address_all(at.unit)
    uses = follow(module, call)
    facts.retrieved.update((*uses.results, *uses.ids, *uses.statuses))
    if at.place != "outside" or len(call.args) != 1 or count_arguments(call) != 1:
        facts.stay(at, RULE, "retrieve_workflow has options, or stands inside a workflow or step")
        return
    facts.client_call(at, RULE, "get", call.args)


def survey_annotation(facts: Facts, module: Module, node: ast.expr) -> None:
    """Note ``WorkflowHandle`` in an annotation."""
    facts.claim(node)
    at = facts.at(module, node)
    facts.link_all(at.unit)
    facts.later(at, lambda job: _edit_annotation(job, at))


def _edit_annotation(job: Job, at: At) -> None:
    file = at.file(job)
    if at.place != "workflow":
        file.replace(at.node, file.name("resonate_core.Handle"), code=RULE.code)
        return
    whole = at.module.parents.get(at.node)  # a promise says nothing of its value
    shown = whole if isinstance(whole, ast.Subscript) and whole.value is at.node else at.node
    file.replace(shown, file.name("resonate_core.Promise"), code=RULE.code)


def is_handle_member(name: str) -> bool:
    """Tell whether an external name is a member of a handle."""
    return name.rpartition(".")[0] in HANDLES
