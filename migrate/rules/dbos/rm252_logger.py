"""RM252: ``DBOS.logger`` becomes the context's logger in workflows, and an ordinary logger elsewhere."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM252",
    title="DBOS.logger becomes the context's logger, or the step's",
    family="dbos",
    level="note",
    applicability="safe",
    what="""\
In a workflow `DBOS.logger.info(...)` becomes `ctx.logger.info(...)`, in a step `step_logger.info(...)`, and elsewhere
`logging.getLogger(__name__).info(...)`, or the file's own logger. DBOS showed what is INFO and above on the console;
where the program does not configure `logging` itself, that is written down where DBOS was configured.""",
    why="""\
The context's logger says nothing twice when a workflow is replayed, and all three are loggers of the standard
library, so handlers and levels are the program's own.""",
    action="Nothing.",
    minutes=1,
)


def survey(facts: Facts, module: Module, node: ast.Attribute) -> None:
    """Note a mention of the logger."""
    facts.claim(node)
    at = facts.at(module, node)
    facts.uses_logger.append(at.unit)
    facts.later(at, lambda job: edit(job, facts, at))


def edit(job: Job, facts: Facts, at: At) -> None:
    """Name the logger of the place."""
    file = at.file(job)
    function = at.module.function_around(at.node)
    if at.place == "workflow" and function is not None and facts.has_context(job, function):
        new = f"{at.ctx(job)}.logger"
    elif at.place == "step":
        new = file.name("resonate_core.step_logger")
    else:
        new = _own_logger(facts, at.module) or f"{file.name('logging')}.getLogger(__name__)"
    file.replace(at.node, new, code=RULE.code)


def _own_logger(facts: Facts, module: Module) -> str | None:
    """Return the module's own logger, if it has one."""
    for name, bindings in module.scope.bindings.items():
        value = bindings[0].value if len(bindings) == 1 and bindings[0].how == "assign" else None
        if isinstance(value, ast.Call) and facts.project.external(module, value.func) == "logging.getLogger":
            return name
    return None
