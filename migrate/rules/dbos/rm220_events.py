"""RM220: ``set_event`` and ``get_event``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import count_arguments, has_stars, keyword
from migrate.rules.dbos.vocabulary import SET_EVENT

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM220",
    title="Events keep their names",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
In a workflow `DBOS.set_event(key, value)` becomes `yield ctx.set_event(key, value)`, and
`DBOS.get_event(id, key, timeout_seconds=5)` becomes `yield ctx.get_event(id, key, timeout=5)`. Elsewhere it becomes
`resonate.get_event(...)`. The 60 seconds that DBOS waits if nothing is said are written down. An event that is
missing when the time is over is None, as before.""",
    why="The newest value of a key counts and readers wait for the first one, on both sides.",
    action="Publish the event from the workflow's body, after the step.",
    minutes=10,
)

#: How long DBOS waits for an event or a message if the program does not say.
DEFAULT_TIMEOUT: Final = "60"


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note an event."""
    facts.claim(call.func)
    at = facts.at(module, call)
    sets = facts.project.external(module, call.func) in SET_EVENT
    verb, parts = ("set_event", _set_parts(call)) if sets else ("get_event", _get_parts(call))
    if not sets:
        facts.address_all(at.unit)
    if parts is None:
        facts.stay(at, RULE, f"this {verb} has arguments that have no counterpart")
    elif at.place == "workflow":
        facts.need_helper(at, RULE)
        facts.durable_call(at, RULE, verb, parts)
    elif at.place == "outside" and not sets:
        facts.client_call(at, RULE, verb, parts)
    else:
        facts.stay(at, RULE, f"{verb} stands outside of a workflow's body, and only the body can publish events")


def _set_parts(call: ast.Call) -> list[Part] | None:
    key, value = keyword(call, "key", 0), keyword(call, "value", 1)
    if has_stars(call) or key is None or value is None or count_arguments(call) != 2:
        return None
    return [key, value]


def _get_parts(call: ast.Call) -> list[Part] | None:
    workflow, key = keyword(call, "workflow_id", 0), keyword(call, "key", 1)
    timeout = keyword(call, "timeout_seconds", 2)
    if has_stars(call) or workflow is None or key is None or count_arguments(call) != (2 if timeout is None else 3):
        return None
    return [workflow, key, Named("timeout", timeout or DEFAULT_TIMEOUT)]
