"""RM280: ``DBOS.cancel_workflow``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import count_arguments, has_stars, keyword

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM280",
    title="A workflow is cancelled through the client",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
`DBOS.cancel_workflow(id)` becomes `resonate.cancel(id)`, in a workflow `yield ctx.cancel(id)`. It takes effect where
the workflow waits next, as an exception that `except Exception` does not see; `finally` runs. Calls that list, resume
or fork workflows stay, with everything they could address.""",
    why="An execution is addressed by its id on both sides.",
    action="Cancel without options, or keep this part on DBOS.",
    minutes=5,
)


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a cancellation."""
    facts.claim(call.func)
    at = facts.at(module, call)
    facts.address_all(at.unit)
    target = keyword(call, "workflow_id", 0)
    if target is None or has_stars(call) or count_arguments(call) != 1:
        facts.stay(at, RULE, "this cancellation has options that have no counterpart")
    elif at.place == "workflow":
        facts.need_helper(at, RULE)
        facts.durable_call(at, RULE, "cancel", [target])
    elif at.place == "outside":
        facts.client_call(at, RULE, "cancel", [target])
    else:
        facts.stay(at, RULE, "a workflow is cancelled in a step")
