"""RM218: workflows called or started by workflows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, code
from migrate.plan.fragments import call as make_call
from migrate.rules.base import Rule
from migrate.rules.dbos import rm231_queue, rm232_handle, rm553_waits_for_child
from migrate.rules.dbos.handles import follow
from migrate.rules.dbos.nodes import awaited
from migrate.rules.dbos.starts import options_of

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts
    from migrate.rules.dbos.starts import Start

RULE: Final = Rule(
    code="RM218",
    title="A child workflow becomes an rpc, or a detached execution",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    total = price(order)                               total = yield ctx.rpc(price, order)
    handle = DBOS.start_workflow(price, order)         handle = yield ctx.begin_rpc(price, order)
    total = handle.get_result()                        total = yield handle
    DBOS.start_workflow(audit, order)                  yield ctx.detached(audit, order)

A child whose result the workflow never asks for is detached. `handle.workflow_id` becomes `handle.id`; an id from
`SetWorkflowID` goes to `.options(id=...)`. If a handle leaves the function, the workflow stays on DBOS.""",
    why="""\
DBOS lets a workflow end before the children it started. An attached child would make it wait, so only what is awaited
is attached.""",
    action="Ask for the result where the child was started, or pass on its id instead of the handle.",
    minutes=10,
)


def survey(facts: Facts, module: Module, start: Start) -> None:
    """Note a start in a workflow's body or helper."""
    at = facts.at(module, start.call)
    facts.explain(start.function)
    if start.is_queued:
        rm231_queue.link(facts, at, start.call)
    elif start.gives_handle:
        facts.claim(start.call.func)
    if start.target is not None:
        facts.start(at.unit, start.target, is_served=start.gives_handle and not start.is_queued)
    else:
        facts.link_all(at.unit)
    node = awaited(module, start.call)
    if start.call in facts.begun:
        facts.later(at, lambda job: edit_begun(job, facts, at, start))
        return
    if at.place == "nested":
        facts.stay(at, RULE, "a workflow is started in a function that other code calls")
    elif start.gives_handle:
        _survey_started(facts, at, start)
    elif start.target is not None and start.target.definition.is_async and node is start.call:
        facts.stay(at, RULE, "the coroutine of a workflow is not awaited where it is made")
    else:
        _plan(facts, at, start, node, "rpc")


def _survey_started(facts: Facts, at: At, start: Start) -> None:
    uses = follow(at.module, start.call)
    for place in (*uses.escapes, *uses.statuses):
        facts.stay(at, RULE, "a workflow's handle leaves what can be followed here", node=place)
    if uses.escapes or uses.statuses:
        return
    node = awaited(at.module, start.call)
    chained = [one for one in uses.results if isinstance(one.func, ast.Attribute) and one.func.value is node]
    if chained:
        facts.explain(chained[0])
        _plan(facts, at, start, awaited(at.module, chained[0]), "rpc")
    else:
        _plan(facts, at, start, node, "begin_rpc" if uses.results else "detached")
        rm553_waits_for_child.tell(facts, at, uses.results)
    name = facts.project.external(at.module, start.call.func)
    rm232_handle.survey_uses(facts, at, uses, gives_coroutines=name.endswith("_async"))


def _plan(facts: Facts, at: At, start: Start, node: ast.expr, verb: str) -> None:
    facts.site(at, node)
    facts.later(at, lambda job: edit(job, facts, at, start, node, verb))


def edit(job: Job, facts: Facts, at: At, start: Start, node: ast.expr, verb: str) -> None:  # noqa: PLR0917 - one closure
    """Write the yield."""
    queue = rm231_queue.queue_at(facts, start.call)
    options = [Named(name, value) for name, value in options_of(facts, start.call, has_id=True)]
    if queue is not None and verb == "rpc":
        options.append(Named("queue", queue))
    elif queue is not None:
        verb = "enqueue"
    first = (queue,) if queue is not None and verb == "enqueue" else ()
    command: Part = make_call(f"{at.ctx(job)}.{verb}", *first, start.function, *start.args)
    if options:
        command = make_call(code("{}.options", command), *options)
    at.file(job).replace(node, code("yield {}", command), code=RULE.code)


def edit_begun(job: Job, facts: Facts, at: At, start: Start) -> None:
    """Write the command that ``gather`` begins."""
    queue = rm231_queue.queue_at(facts, start.call)
    verb, first = ("begin_rpc", ()) if queue is None else ("enqueue", (queue,))
    command = make_call(f"{at.ctx(job)}.{verb}", *first, start.function, *start.args)
    at.file(job).replace(start.call, command, code=RULE.code)
