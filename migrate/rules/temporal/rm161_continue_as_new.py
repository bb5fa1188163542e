"""RM161: continue as new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.calls import argument_parts, read_arguments

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM161",
    title="Continue as new",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`workflow.continue_as_new(state)` becomes `yield ctx.continue_as_new(state)`: it leaves through
`finally`, is not caught by `except Exception`, and the caller's handle follows. Messages that were not handled yet
move on.""",
    why="A long history makes every recovery slower; the next run begins with an empty one.",
    action="Continue with the same workflow and arguments in args=[...].",
    minutes=15,
)
NAME: Final = "temporalio.workflow.continue_as_new"


def convert(place: Place) -> None:
    """Convert one call."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    arguments, args_node = read_arguments(list(node.args), said)
    if said or any(keyword.arg is None for keyword in node.keywords):
        other = next(iter(said), "**")
        place.block(RULE.code, f"continue_as_new({other}=...) has no counterpart", RULE.action)
        return
    if not place.function.is_async:
        place.block(
            RULE.code,
            "continue_as_new is called in a function that cannot yield",
            "Call it in the run method or in an async helper.",
        )
        return
    given = argument_parts(arguments, args_node)
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.site(place.node)

    def make(emit: Emit) -> Part:
        return code("yield {}", call(f"{emit.ctx(place.node)}.continue_as_new", *given))

    place.replace(place.node, make, rule=RULE.code)
