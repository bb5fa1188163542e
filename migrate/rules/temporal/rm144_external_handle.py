"""RM144: signals to other executions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.calls import argument_parts, read_arguments
from migrate.rules.temporal.workflow_reference import read_reference

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM144",
    title="Signal to another execution",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`workflow.get_external_workflow_handle(id)` becomes the id itself, and `await handle.signal(Other.go,
x)` becomes `yield ctx.signal(handle, Other.go, x)`, also for children.""",
    why="A message is sent once, by the id of the execution that it is for.",
    action="Address the execution by its id.",
    minutes=10,
)
GETS: Final = {
    "temporalio.workflow.get_external_workflow_handle": 0,
    "temporalio.workflow.get_external_workflow_handle_for": 1,
}
_OWNERS: Final = ("temporalio.workflow.ExternalWorkflowHandle", "temporalio.workflow.ChildWorkflowHandle")
SIGNALS: Final = tuple(f"{owner}.signal" for owner in _OWNERS)
CANCEL: Final = "temporalio.workflow.ExternalWorkflowHandle.cancel"


def convert_get(place: Place) -> None:
    """Convert the call that makes a handle."""
    node = place.call
    index = GETS[place.name]
    is_plain = len(node.args) == index + 1 and not any(isinstance(one, ast.Starred) for one in node.args)
    if not is_plain or any(keyword.arg != "run_id" for keyword in node.keywords):
        place.block(RULE.code, "a handle that is asked for in this way has no counterpart", RULE.action)
        return
    for keyword in node.keywords:
        message = "the message goes to the newest run of the id, not to the run that run_id= names"
        place.draft.note(place.module, keyword.value, "RM505", "review", message, "Look whether an old run is meant.")
    place.claim()
    for named in node.args[:index]:
        read_reference(place.draft, place.work.facts, place.module, named, by=node)
    identity = node.args[index]
    place.replace(node, lambda _emit: code("{}", identity), rule=RULE.code)


def convert_message(place: Place) -> None:
    """Convert ``handle.signal(...)`` and ``handle.cancel()``."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    arguments, args_node = read_arguments(list(node.args), said)
    awaited = place.awaited
    if said or awaited is None or not isinstance(node.func, ast.Attribute):
        place.block(RULE.code, "this message is not awaited at once, or takes options", RULE.action)
        return
    receiver, verb = node.func.value, node.func.attr
    given = argument_parts(arguments, args_node, before=node.args)
    place.helper(RULE.code)
    place.claim()
    place.use_ctx()
    place.site(awaited)

    def make(emit: Emit) -> Part:
        return code("yield {}", call(f"{emit.ctx(node)}.{verb}", receiver, *given))

    place.replace(awaited, make, rule=RULE.code)
