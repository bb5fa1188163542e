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
    parts = _recv_parts(call) if receives else _send_parts(call, with_key=at.place == "outside")
    verb = "recv" if receives else "send"
    if not receives:
        facts.address_all(at.unit)
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
    topic, timeout = _topic(call, 0), keyword(call, "timeout_seconds", 1)
    if has_stars(call) or count_arguments(call) != (topic is not None) + (timeout is not None):
        return None
    return [*([topic] if topic is not None else []), Named("timeout", timeout or DEFAULT_TIMEOUT)]


def _send_parts(call: ast.Call, *, with_key: bool) -> list[Part] | None:
    target, message = keyword(call, "destination_id", 0), keyword(call, "message", 1)
    if has_stars(call) or target is None or message is None:
        return None
    topic, key = _topic(call, 2), keyword(call, "idempotency_key") if with_key else None
    given: list[Part] = [target, message, *([topic] if topic is not None else [])]
    if key is not None:
        given.append(Named("idempotency_key", key))
    return given if count_arguments(call) == len(given) else None


def _topic(call: ast.Call, position: int) -> Part | None:
    """Return the topic as it was given: by name or by position."""
    value = keyword(call, "topic", position)
    named = any(entry.arg == "topic" for entry in call.keywords)
    return Named("topic", value) if named and value is not None else value
