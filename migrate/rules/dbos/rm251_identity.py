"""RM251: ``DBOS.workflow_id`` becomes the context's id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Definition, Module
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM251",
    title="DBOS.workflow_id becomes ctx.id",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
In a workflow `DBOS.workflow_id` becomes `ctx.id`; in a step `step_info().root_id`, which is the id of the workflow
that runs it. Outside of both DBOS says None; a step that is also called outside workflows stays on DBOS, because
there `step_info()` has no answer.""",
    why="A step's own promise has another id than its workflow.",
    action="Pass the id to the step as an argument.",
    minutes=5,
)


def survey(facts: Facts, module: Module, node: ast.Attribute) -> None:
    """Note a mention of the id."""
    facts.claim(node)
    at = facts.at(module, node)
    function = module.function_around(node)
    if at.place == "workflow":
        facts.needs_context.append(at)
        facts.later(at, lambda job: at.file(job).replace(node, f"{at.ctx(job)}.id", code=RULE.code))
    elif at.place == "step" and function is not None and not _is_called_outside(facts, function):
        facts.later(at, lambda job: _edit_step(job, at))
    else:
        if at.place == "outside":
            facts.address_all(at.unit)
        facts.stay(at, RULE, "the workflow's id is asked for where there may be no workflow")


def _is_called_outside(facts: Facts, function: Definition) -> bool:
    while function not in facts.marked and function.parent is not None:
        function = function.parent
    return any(facts.place(site.module, site.node) == "outside" for site in facts.project.callers(function))


def _edit_step(job: Job, at: At) -> None:
    file = at.file(job)
    file.replace(at.node, f"{file.name('resonate_core.step_info')}().root_id", code=RULE.code)


def survey_contexts(facts: Facts) -> None:
    """Keep helpers that ask for the id and hold no durable call: nothing would give them a context."""
    durable = facts.durable()
    for at in facts.needs_context:
        function = at.module.function_around(at.node)
        if function is not None and function not in durable and function not in facts.marked:
            facts.stay(at, RULE, f"{function.name} asks for the workflow's id and has no context")
