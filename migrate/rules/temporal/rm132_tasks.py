"""RM132: tasks and other concurrency of asyncio in workflow code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal import race
from migrate.rules.temporal.coroutines import is_promise, made_for
from migrate.rules.temporal.endings import ending

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM132",
    title="Tasks, races and locks in workflow code",
    family="temporal",
    level="manual",
    applicability="review",
    what="""`asyncio.create_task(self._tick())` becomes `yield ctx.begin_run(self._tick)`: a branch beside the entry
on the same object. `task.cancel()` becomes `yield ctx.cancel(task)`. Waits for the first of several, time limits on
work, locks and queues of asyncio stay for a person.""",
    why="The runtime switches between branches at a yield; the loop of asyncio does not run in a durable function.",
    action="Use ctx.select with ctx.begin_sleep for a race, plain state with ctx.wait_until for locks and events.",
    minutes=30,
)
TASKS: Final = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.Task")
CANCELS: Final = (
    "asyncio.Task.cancel",
    "temporalio.workflow.ActivityHandle.cancel",
    "temporalio.workflow.ChildWorkflowHandle.cancel",
)


def convert_task(place: Place) -> None:
    """Convert ``asyncio.create_task(...)``."""
    node = place.call
    if len(node.args) != 1 or not _is_made_for_it(place, node.args[0]):
        place.block(
            RULE.code, "the task's coroutine was made elsewhere", "Make the coroutine where the task is created."
        )
        return
    for keyword in node.keywords:
        if keyword.arg != "name":
            place.block(RULE.code, f"create_task({keyword.arg}=...) has no counterpart", RULE.action)
            return
    inner = node.args[0]
    place.work.modes[inner] = "begin"
    place.use_ctx()
    place.claim()
    if isinstance(place.parent, ast.Await):
        place.block(RULE.code, "the task is awaited at once", "Await the coroutine itself.")
        return
    place.site(node)
    template = "yield {}" + ending(place, node, inner)
    place.replace(node, lambda _emit: code(template, inner), rule=RULE.code)


def _is_made_for_it(place: Place, node: ast.expr) -> bool:
    """Tell whether a coroutine is made here, or above for this task only."""
    if isinstance(node, ast.Name):
        made = made_for(place.module, place.function, node)
        return made is not None and all(place.work.modes.get(one) == "begin" for one in made)
    return isinstance(node, ast.Call)


def convert_cancel(place: Place) -> None:
    """Convert ``task.cancel()``."""
    node = place.call
    if (
        not isinstance(place.statement, ast.Expr)
        or place.statement.value is not node
        or not isinstance(node.func, ast.Attribute)
    ):
        place.block(RULE.code, "the answer of cancel() is used", RULE.action)
        return
    receiver = node.func.value
    place.helper(RULE.code)
    place.claim()
    place.use_ctx()
    place.site(node)

    def make(emit: Emit) -> Part:
        return code("yield {}", call(f"{emit.ctx(node)}.cancel", receiver))

    place.replace(node, make, rule=RULE.code)


_METHODS: Final = frozenset(
    ("result", "cancel", "done", "exception", "cancelled", "add_done_callback", "get_name", "get_loop", "uncancel")
)
FUTURE: Final = "asyncio.Future"
RESULTS: Final = (
    "asyncio.Task.result",
    "temporalio.workflow.ActivityHandle.result",
    "temporalio.workflow.ChildWorkflowHandle.result",
)


def convert_unknown(place: Place) -> None:
    """Convert a method of something that is taken out of a collection of started work."""
    function = place.call.func
    if not isinstance(function, ast.Attribute) or function.attr not in _METHODS:
        return
    if not is_promise(place.work, place.function, function.value):
        return
    if function.attr == "result":
        convert_result(place)
    elif function.attr == "cancel":
        convert_cancel(place)
    else:
        place.block(RULE.code, f"asks a task about itself: {function.attr}()", RULE.action)


def convert_result(place: Place) -> None:
    """Convert ``task.result()``: of a promise that has settled a yield gives the value at once."""
    node = place.call
    if not isinstance(node.func, ast.Attribute) or node.args or node.keywords or not place.function.is_async:
        place.block(RULE.code, "the result of a task is asked for where nothing can be awaited", RULE.action)
        return
    receiver = node.func.value
    place.claim()
    place.use_ctx()
    place.site(node)
    place.replace(node, lambda _emit: code("yield {}", receiver), rule=RULE.code)


def convert_future(place: Place) -> None:
    """Convert ``await asyncio.Future()``: nobody can ever settle it, so it waits for the cancellation."""
    if place.awaited is None or place.call.args or place.call.keywords:
        refuse(place)
        return
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.site(place.awaited)
    place.replace(
        place.awaited, lambda emit: code("yield {}.wait_until(lambda: False)", emit.ctx(place.node)), rule=RULE.code
    )


def convert_wait(place: Place) -> None:
    """Convert a wait for the first of several, where its shape is plain."""
    race.convert(place, rule=RULE.code, action=RULE.action)


def refuse(place: Place) -> None:
    """Name what cannot be converted."""
    place.block(RULE.code, f"{place.name} in workflow code has no counterpart that is plain to see", RULE.action)
