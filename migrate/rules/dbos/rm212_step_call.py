"""RM212: a step called from a workflow becomes ``yield ctx.run(...)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import call as make_call
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import arguments, awaited

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
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
    """Keep workflows that may reach a step in a way that cannot be followed: the call would lose its record."""
    reach = _reach(facts)
    handed_on = [mark for one, marks in reach.items() if _is_handed_on(facts, one) for mark in marks]
    for module in facts.project.modules.values():
        for node in list(module.sites):
            if not isinstance(node, ast.Call) or facts.project.resolve(module, node.func) is not None:
                continue
            candidates = _candidates(node.func, reach, handed_on)
            if not candidates or facts.place(module, node) != "workflow":
                continue
            at = facts.at(module, node)
            for mark in candidates:
                facts.survey.link(at.unit, mark.unit)
            facts.stay(at, RULE, f"{ast.unparse(node.func)}(...) may run a step, and the call cannot be followed")


def _reach(facts: Facts) -> dict[Definition, list[Marked]]:
    """Return, for each function that is or calls a workflow or step over plain functions, which ones."""
    found: dict[Definition, list[Marked]] = {}
    for mark in facts.marked.values():
        stack, seen = [mark.definition], {mark.definition}
        while stack:
            current = stack.pop()
            found.setdefault(current, []).append(mark)
            callers = {site.caller for site in facts.project.callers(current)}
            fresh = [one for one in callers if one is not None and one not in seen and one not in facts.marked]
            seen.update(fresh)
            stack.extend(fresh)
    return found


def _candidates(function: ast.expr, reach: dict[Definition, list[Marked]], handed_on: list[Marked]) -> list[Marked]:
    """Return what a call may run: by a method of this name, or by something that is used as a value somewhere."""
    if isinstance(function, (ast.Name, ast.Subscript, ast.Call)):
        return handed_on
    if not isinstance(function, ast.Attribute):
        return []
    methods = [one for one in reach if one.name == function.attr and one.parent is not None]
    return [mark for one in methods if isinstance(one.parent.node, ast.ClassDef) for mark in reach[one]]  # type: ignore[union-attr]


def _is_handed_on(facts: Facts, definition: Definition) -> bool:
    """Tell whether a function is used as a value somewhere, so that a call through a variable may be one of it."""
    for reference in facts.project.references(definition):
        is_value = reference.kind in ("name", "member") and reference.call is None
        if is_value and reference.node not in facts.explained and not reference.module.is_test:
            parent = reference.module.parents.get(reference.node)
            if not isinstance(parent, ast.Attribute):
                return True
    return False
