"""RM240: ``DBOS.sleep`` becomes ``ctx.sleep``; a raw sleep in a workflow's body becomes durable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import count_arguments, has_stars, keyword

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM240",
    title="A sleep becomes a durable timer",
    family="dbos",
    level="review",
    applicability="safe",
    what="""\
`DBOS.sleep(3)` and `await DBOS.sleep_async(3)` become `yield ctx.sleep(3)`, in seconds as before. `time.sleep` and
`asyncio.sleep` in a body with durable calls become the same, and are reported: DBOS slept them again after a crash.""",
    why="All workflow bodies of a worker take turns on one thread; a body that blocks it stops them all.",
    action="Check that the wait may survive a restart.",
    minutes=2,
)

RAW: Final = frozenset({"time.sleep", "asyncio.sleep"})


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note ``DBOS.sleep``."""
    facts.claim(call.func)
    at = facts.at(module, call)
    duration = _duration(call)
    if duration is None:
        facts.stay(at, RULE, "the arguments of this sleep are not plain to see")
    elif at.place == "workflow":
        facts.durable_call(at, RULE, "sleep", [duration])
    else:
        facts.stay(at, RULE, "DBOS.sleep works in a workflow only", action="Use time.sleep outside of workflows.")


def survey_raw(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a sleep of the standard library in a body that becomes a generator."""
    duration = _duration(call)
    if duration is None or facts.place(module, call) != "workflow" or not facts.is_durable_at(module, call):
        return
    at = facts.at(module, call)
    facts.durable_call(at, RULE, "sleep", [duration])
    facts.tell(at, RULE.code, "review", "a sleep that blocked its thread is a durable timer now", RULE.action)


def _duration(call: ast.Call) -> ast.expr | None:
    if has_stars(call) or count_arguments(call) != 1:
        return None
    return call.args[0] if call.args else keyword(call, "seconds") or keyword(call, "delay")
