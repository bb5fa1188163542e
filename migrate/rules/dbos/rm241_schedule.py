"""RM241: schedules stay on the shim, and start what is rewritten."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.survey import Bridge
from migrate.rules.base import Rule
from migrate.rules.dbos.vocabulary import SCHEDULED, SCHEDULING

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts, Marked

RULE: Final = Rule(
    code="RM241",
    title="A schedule stays on the shim and starts the rewritten workflow",
    family="dbos",
    level="review",
    applicability="review",
    what="""\
`@DBOS.scheduled("0 8 * * 1")`, `DBOS.create_schedule(...)` and `DBOS.apply_schedules([...])` keep their text and run on
the shim: the same fields (seconds, years, numbers of week days as DBOS reads them), the same time zones, the same
arguments, one run for each tick. The workflow is rewritten and takes its two arguments behind the context; runs that
stand in a queue stand in it beside the others.""",
    why="A cron text means other days and seconds in other dialects; here nothing is translated.",
    action="Use resonate.schedule(name, Cron(...), function, ...) to do without the shim; name the days of the week.",
    minutes=10,
)
def survey_decorator(facts: Facts, mark: Marked) -> None:
    """Note ``@DBOS.scheduled`` on a workflow: it serves a rewritten function as well."""
    definition = mark.definition
    for decorator, meaning in facts.project.decorators(definition):
        if meaning is not None and meaning.kind == "external" and meaning.name == SCHEDULED:
            at = facts.at_wiring(definition.module, decorator)
            facts.claim(decorator)
            facts.stay(at, RULE, f"the schedule of {definition.name} runs on the shim, and starts it")
            facts.survey.bridges.append(Bridge(at.unit, mark.unit, is_breakable=False))


def is_served(facts: Facts, module: Module, node: ast.AST) -> bool:
    """Tell whether a workflow is handed to a call that makes schedules."""
    for parent in module.ancestors(node):
        if isinstance(parent, ast.Call):
            return facts.project.external(module, parent.func) in SCHEDULING
        if not isinstance(parent, (ast.keyword, ast.Dict, ast.List, ast.Tuple)):
            return False
    return False
