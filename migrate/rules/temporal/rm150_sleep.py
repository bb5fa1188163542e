"""RM150: durable sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call
from migrate.rules.base import Rule
from migrate.rules.temporal.durations import seconds_part

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM150",
    title="Sleep in workflow code",
    family="temporal",
    level="manual",
    applicability="safe",
    what="`await workflow.sleep(timedelta(hours=1))` and `await asyncio.sleep(3600)` become `yield ctx.sleep(3600)`.",
    why="A timer is a durable promise: it goes on while no worker runs.",
    action="Await the sleep, or begin it as a task.",
)
NAMES: Final = ("temporalio.workflow.sleep", "asyncio.sleep")


def convert(place: Place) -> None:
    """Convert one sleep."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords}
    duration = node.args[0] if node.args else said.get("duration", said.get("delay"))
    if duration is None or len(node.args) > 1 or "result" in said:
        place.block(RULE.code, "this sleep gives a result", RULE.action)
        return
    if "summary" in said:
        place.draft.note(place.module, node, "RM512", "note", "summary= has no counterpart and is left out")

    def make(emit: Emit, begin: bool) -> Part:
        part = seconds_part(duration, place.draft.resolver(place.module))
        return call(f"{emit.ctx(place.node)}.{'begin_sleep' if begin else 'sleep'}", part)

    place.command(make, rule=RULE.code)
