"""RM213: helpers between a workflow and its steps become generators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import call, code
from migrate.rules.base import Rule
from migrate.rules.dbos import rm216_comprehension
from migrate.rules.dbos.nodes import arguments, awaited

if TYPE_CHECKING:
    import ast

    from migrate.index.references import CallSite
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM213",
    title="A helper that makes durable calls becomes a generator",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    def both(url: str) -> str:                  def both(ctx: Context, url: str) -> Generator[Any, Any, str]:
        return fetch(url) + fetch(url[1:])          return (yield ctx.run(fetch, url)) + (yield ctx.run(fetch, url[1:]))

    page = both(url)                            page = yield from both(ctx, url)

also across modules, through re-exports, and over several levels. A helper that is called outside of workflows too, or
used as a value, keeps its workflows on DBOS.""",
    why="A yield must reach the runtime through every function between it and the workflow.",
    action="Give the code outside of workflows a plain copy of the helper.",
    minutes=10,
)


def survey(facts: Facts) -> None:
    """Turn comprehensions into loops where a helper that becomes a generator is called in them."""
    durable = facts.durable()
    for helper in facts.inside & durable:
        for site in facts.project.callers(helper):
            at = facts.at(site.module, site.node)
            if at.place == "workflow" and _stands_in_comprehension(site):
                _survey_call(facts, at, site)


def _stands_in_comprehension(site: CallSite) -> bool:
    around = rm216_comprehension.around(site.module, site.node)
    return bool(around) or rm216_comprehension.is_in_first_iterable(site.module, site.node)


def _survey_call(facts: Facts, at: At, site: CallSite) -> None:
    node = awaited(site.module, site.node)
    if facts.lower_around(at, node):
        facts.survey.handled.update({site.node, node})
        facts.later(at, lambda job: edit(job, at, site, node))


def edit(job: Job, at: At, site: CallSite, node: ast.expr) -> None:
    """Write the delegation that the engine leaves to this rule."""
    new = call(site.node.func, at.ctx(job), *arguments(site.node))
    at.file(job).replace(node, code("yield from {}", new), code=RULE.code)
