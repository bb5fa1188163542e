"""RM215: ``DBOS.run_step`` becomes ``ctx.run`` with the policy at the call."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import call as make_call
from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.dbos import rm211_step
from migrate.rules.dbos.nodes import arguments, awaited

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts
    from migrate.rules.dbos.rm211_step import StepOptions

RULE: Final = Rule(
    code="RM215",
    title="run_step becomes ctx.run with its policy",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    page = DBOS.run_step({"name": "load"}, load, url)
    page = yield ctx.run(load, url).options(retry_policy=Never())

    page = DBOS.run_step({"retries_allowed": True}, load, url)
    page = yield ctx.run(load, url).options(retry_policy=Backoff(1, max_attempts=3))

Outside of workflows it is a plain call, as under DBOS. The options' name is left out: the function's own name stands in
the record.""",
    why="A function without a mark is retried for ever by the generator SDK; DBOS makes one attempt.",
    action="Write the options out at the call, or mark the function with @step.",
    minutes=5,
)


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a call of ``run_step``."""
    facts.claim(call.func)
    at = facts.at(module, call)
    if len(call.args) < 2 or isinstance(call.args[0], ast.Starred) or isinstance(call.args[1], ast.Starred):
        facts.stay(at, RULE, "the function of this run_step is not plain to see")
        return
    function = call.args[1]
    options = rm211_step.read_dictionary(facts, module, call.args[0])
    mark = facts.called(module, function)
    if mark is not None:
        facts.explain(function)
        facts.survey.link(at.unit, mark.unit)
    is_coroutine = facts.project.external(module, call.func).endswith("_async")
    if options.problem:
        facts.stay(at, RULE, f"run_step: {options.problem}")
    elif is_coroutine and (isinstance(function, ast.Lambda) or awaited(module, call) is call):
        facts.stay(at, RULE, "run_step_async is not awaited where it is called, or runs a lambda")
    elif at.place == "nested":
        facts.stay(at, RULE, "run_step is called in a function that other code calls")
    else:
        _plan(facts, at, call, options)


def _plan(facts: Facts, at: At, call: ast.Call, options: StepOptions) -> None:
    node = awaited(at.module, call)
    if at.place == "workflow":
        facts.site(at, node)
        facts.later(at, lambda job: edit(job, facts, at, call, options))
        return
    rest = [one for one in arguments(call) if one not in call.args[:2]]
    facts.later(at, lambda job: at.file(job).replace(call, make_call(call.args[1], *rest), code=RULE.code))


def edit(job: Job, facts: Facts, at: At, call: ast.Call, options: StepOptions) -> None:
    """Write the yield."""
    file = at.file(job)
    rest = [one for one in arguments(call) if one is not call.args[0]]
    if rm211_step.is_retried(facts, at.module, options):
        policy: Part = rm211_step.backoff(facts, at.module, file, options)
    else:
        policy = f"{file.name('resonate_core.Never')}()"
    changes = [("retry_policy", policy)]
    if "timeout_seconds" in options.said:
        changes.insert(0, ("attempt_timeout", options.said["timeout_seconds"]))
    command = code("{}." + _options(changes), make_call(f"{at.ctx(job)}.run", *rest), *[part for _, part in changes])
    file.replace(awaited(at.module, call), code("yield {}", command), code=RULE.code)


def _options(changes: list[tuple[str, Part]]) -> str:
    return "options(" + ", ".join(f"{name}={{}}" for name, _ in changes) + ")"
