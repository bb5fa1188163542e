"""RM221: ``send`` and ``recv``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import count_arguments, has_stars, keyword
from migrate.rules.dbos.rm220_events import DEFAULT_TIMEOUT
from migrate.rules.dbos.vocabulary import RECV

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM221",
    title="Messages keep their topics",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
`DBOS.recv("payment", timeout_seconds=60)` becomes `yield ctx.recv("payment", timeout=60)`, with the 60 seconds that
DBOS waits if nothing is said. `DBOS.send(id, message, topic)` becomes `yield ctx.send(...)` in a workflow and
`resonate.send(...)` elsewhere. First in, first out for each topic; None when the time is over; a message that comes
before its `recv` waits for it: as before.""",
    why="A message that is sent is taken exactly once, also when either side crashes in between.",
    action="Send without the option, or keep this part on DBOS.",
    minutes=10,
)


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a message."""
    facts.claim(call.func)
    at = facts.at(module, call)
    receives = facts.project.external(module, call.func) in RECV
    verb, parts = ("recv", _recv_parts(call)) if receives else ("send", _send_parts(call))
    if not receives:
        facts.link_all(at.unit)
    if parts is None:
        facts.stay(at, RULE, f"this {verb} has arguments that have no counterpart")
    elif at.place == "workflow":
        facts.need_helper(at, RULE)
        facts.durable_call(at, RULE, verb, parts)
    elif at.place == "outside" and not receives:
        facts.client_call(at, RULE, verb, parts)
    else:
        facts.stay(at, RULE, f"{verb} stands where there is no workflow that could do it")


def _recv_parts(call: ast.Call) -> list[Part] | None:
    topic, timeout = keyword(call, "topic", 0), keyword(call, "timeout_seconds", 1)
    given = [one for one in (topic, timeout) if one is not None]
    if has_stars(call) or count_arguments(call) != len(given):
        return None
    return [*([topic] if topic is not None else []), Named("timeout", timeout or DEFAULT_TIMEOUT)]


def _send_parts(call: ast.Call) -> list[Part] | None:
    target, message = keyword(call, "destination_id", 0), keyword(call, "message", 1)
    if has_stars(call) or target is None or message is None:
        return None
    given: list[Part] = [one for one in (target, message, keyword(call, "topic", 2)) if one is not None]
    return given if count_arguments(call) == len(given) else None
