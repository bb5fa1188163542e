"""RM230: workflows run or started from handlers, scripts and tests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos import rm231_queue, rm232_handle, rm234_debouncer, rm241_schedule
from migrate.rules.dbos.handles import HandleUses, follow
from migrate.rules.dbos.starts import options_of

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts, Marked
    from migrate.rules.dbos.starts import Start

RULE: Final = Rule(
    code="RM230",
    title="A workflow is run or started through the client",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    checkout(order)                             resonate.run(str(uuid4()), checkout, order)
    with SetWorkflowID(key): checkout(order)    resonate.run(key, checkout, order)
    DBOS.start_workflow(checkout, order)        resonate.begin_run(str(uuid4()), checkout, order)

In async functions the same calls go through `resonate.aio` and are awaited, also where DBOS blocked the event loop.
A workflow that is handed to other code (a thread pool, a scheduler, a list of callables) cannot be followed and
stays.""",
    why="A durable function is started under an id; called directly it would only make a generator.",
    action="Call the workflow by name, or start it there with resonate.run or resonate.begin_run.",
    minutes=10,
)


def survey(facts: Facts, module: Module, start: Start) -> None:
    """Note a start outside of workflows."""
    at = facts.at_start(module, start.call)
    facts.explain(start.function)
    if start.is_queued:
        rm231_queue.link(facts, at, start.call)
    elif start.gives_handle:
        facts.claim(start.call.func)
    if start.target is not None:
        facts.start(at.unit, start.target, is_served=start.gives_handle and not start.is_queued)
    else:
        facts.link_all(at.unit)
    uses = follow(module, start.call) if start.gives_handle else HandleUses()
    facts.own(at, (*uses.results, *uses.ids, *uses.statuses, *uses.escapes))
    problem = _problem(facts, at, start)
    if problem:
        facts.stay(at, RULE, problem)
        return
    facts.needs_client(at)
    facts.later(at, lambda job: edit(job, facts, at, start))
    if start.gives_handle:
        rm232_handle.survey_uses(facts, at, uses, gives_coroutines=is_coroutine(facts, at, start))


def _problem(facts: Facts, at: At, start: Start) -> str:
    if at.place == "step":
        return "a workflow is started inside a step, which DBOS refuses"
    blocks_loop = at.is_async and not is_coroutine(facts, at, start)
    if blocks_loop and any(isinstance(parent, ast.Lambda) for parent in at.module.ancestors(start.call)):
        return "a workflow is started in a lambda inside an async function"
    return ""


def is_coroutine(facts: Facts, at: At, start: Start) -> bool:
    """Tell whether the call gives a coroutine."""
    if start.gives_handle:
        return facts.project.external(at.module, start.call.func).endswith("_async")
    return start.target is not None and start.target.definition.is_async


def edit(job: Job, facts: Facts, at: At, start: Start) -> None:
    """Write the call of the client."""
    given: Part | None = facts.ids.get(start.call)
    if given is None:
        given = f"str({at.file(job).name('uuid.uuid4')}())"
    source = job.project.source_of
    options = [f"{name}={source(at.module, value)}" for name, value in options_of(facts, start.call, has_id=False)]
    view = f".options({', '.join(options)})" if options else ""
    queue = rm231_queue.queue_at(facts, start.call)
    verb = start.client_verb if queue is None else "enqueue"
    parts = (*(() if queue is None else (queue,)), given, start.function, *start.args)
    coroutine = is_coroutine(facts, at, start)
    facts.write_client_call(job, at, RULE, verb, parts, is_coroutine=coroutine, view=view)


def survey_mentions(facts: Facts, mark: Marked) -> None:
    """Keep workflows that are handed to code that cannot be followed."""
    name = mark.definition.name
    for reference in facts.project.references(mark.definition):
        node, module = reference.node, reference.module
        if reference.kind not in ("name", "member") or node in facts.explained:
            continue
        if isinstance(module.parents.get(node), ast.Attribute):
            continue  # its name or documentation
        at = facts.at(module, node)
        if rm234_debouncer.is_served(facts, module, node) or rm241_schedule.is_served(facts, module, node):
            facts.start(at.unit, mark, is_served=True)
            continue
        facts.survey.link(at.unit, mark.unit)
        facts.stay(at, RULE, f"workflow {name} is handed to other code here, which would get a generator")
