"""RM143: waiting for a condition."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call
from migrate.rules.base import Rule
from migrate.rules.temporal.durations import seconds_part

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM143",
    title="Wait for a condition",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`await workflow.wait_condition(lambda: self.paid, timeout=...)` becomes `yield ctx.wait_until(lambda:
self.paid, timeout=...)`. When the time is over first it raises TimeoutError, as before; message handlers run
between.""",
    why="The condition is looked at again after every message and every step.",
    action="Await the condition.",
    minutes=10,
)
WAIT: Final = "temporalio.workflow.wait_condition"


def convert(place: Place) -> None:
    """Convert one wait."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords}
    condition = node.args[0] if node.args else said.get("fn")
    if condition is None or place.awaited is None:
        place.block(RULE.code, "this condition is not awaited at once", RULE.action)
        return
    limit = said.get("timeout")
    place.helper(RULE.code)

    def make(emit: Emit, _begin: bool) -> Part:
        options: list[Part] = []
        if limit is not None and not (isinstance(limit, ast.Constant) and limit.value is None):
            options.append(Named("timeout", seconds_part(limit, place.draft.resolver(place.module))))
        return call(f"{emit.ctx(place.node)}.wait_until", condition, *options)

    place.command(make, rule=RULE.code)
