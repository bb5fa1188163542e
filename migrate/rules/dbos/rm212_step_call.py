"""RM212: a step called from a workflow becomes ``yield ctx.run(...)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import call as make_call
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import arguments, awaited

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts, Marked

RULE: Final = Rule(
    code="RM212",
    title="A step call in a workflow is yielded",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    page = fetch(url)                           page = yield ctx.run(fetch, url)
    page = await fetch(url)                     page = yield ctx.run(fetch, url)

wherever the call stands: in conditions, f-strings, arguments, boolean expressions. In helpers that workflows call it
is the same. Outside workflows, and in other steps, a step call is a plain call and stays one. A workflow that hands
a step to other code (`map(fetch, urls)`, a thread pool, a lambda) stays on DBOS: there the call would lose its
record.""",
    why="The yield is where the result is recorded, and where the workflow goes on after a crash.",
    action="Call the step directly in the workflow's body or in a helper, for example in a loop.",
    minutes=5,
)


def survey(facts: Facts, module: Module, call: ast.Call, mark: Marked) -> None:
    """Note a call of a step or transaction."""
    facts.explain(call.func)
    at = facts.at(module, call)
    if at.place in ("outside", "step"):
        return
    facts.survey.link(at.unit, mark.unit)
    name = mark.definition.name
    if at.place == "nested":
        facts.stay(at, RULE, f"{name} is called in a function that other code calls, so its record cannot be kept")
    elif call in facts.begun:
        facts.later(at, lambda job: edit_begun(job, at, call))
    elif mark.definition.is_async and awaited(module, call) is call:
        facts.stay(at, RULE, f"the coroutine of step {name} is not awaited where it is made")
    else:
        facts.durable_call(at, RULE, "run", (call.func, *arguments(call)))


def edit_begun(job: Job, at: At, call: ast.Call) -> None:
    """Write the command that ``gather`` begins."""
    command = make_call(f"{at.ctx(job)}.begin_run", call.func, *arguments(call))
    at.file(job).replace(call, command, code=RULE.code)


def survey_mentions(facts: Facts, mark: Marked) -> None:
    """Keep workflows that hand the step to other code; a plain function may be handed around everywhere else."""
    for reference in facts.project.references(mark.definition):
        node, module = reference.node, reference.module
        if reference.kind not in ("name", "member") or node in facts.explained or reference.call is not None:
            continue
        at = facts.at(module, node)
        if isinstance(module.parents.get(node), ast.Attribute) or at.place in ("outside", "step"):
            continue
        facts.survey.link(at.unit, mark.unit)
        facts.stay(at, RULE, f"step {mark.definition.name} is handed to other code, where its call is not recorded")


def survey_dynamic(facts: Facts) -> None:
    """Keep workflows that may call a step in a way that cannot be followed: the call would silently lose its record."""
    handed_on = [mark for mark in facts.marked.values() if _is_handed_on(facts, mark)]
    for module in facts.project.modules.values():
        for node in list(module.sites):
            if not isinstance(node, ast.Call) or facts.project.resolve(module, node.func) is not None:
                continue
            candidates = _candidates(facts, node.func, handed_on)
            if not candidates or facts.place(module, node) != "workflow":
                continue
            at = facts.at(module, node)
            for mark in candidates:
                facts.survey.link(at.unit, mark.unit)
            facts.stay(at, RULE, f"{ast.unparse(node.func)}(...) may be a step, and its call cannot be followed")


def _candidates(facts: Facts, function: ast.expr, handed_on: list[Marked]) -> list[Marked]:
    """Return the steps that a call may be of: methods of this name, or what is used as a value somewhere."""
    if isinstance(function, (ast.Name, ast.Subscript, ast.Call)):
        return handed_on
    if not isinstance(function, ast.Attribute):
        return []
    owners = ((mark, mark.definition.parent) for mark in facts.marked.values() if mark.definition.name == function.attr)
    return [mark for mark, owner in owners if owner is not None and isinstance(owner.node, ast.ClassDef)]


def _is_handed_on(facts: Facts, mark: Marked) -> bool:
    """Tell whether a step is used as a value somewhere, so that a call through a variable may be one of it."""
    for reference in facts.project.references(mark.definition):
        is_value = reference.kind in ("name", "member") and reference.call is None
        if is_value and reference.node not in facts.explained and not reference.module.is_test:
            return not isinstance(reference.module.parents.get(reference.node), ast.Attribute)
    return False
