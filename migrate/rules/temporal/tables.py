"""Which rule knows which name of the SDK in workflow code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.temporal import (
    race,
    rm120_execute_activity,
    rm124_activity_context,
    rm125_errors,
    rm131_gather,
    rm132_tasks,
    rm133_queue,
    rm134_lock,
    rm135_time_limit,
    rm136_as_completed,
    rm137_task_group,
    rm138_semaphore,
    rm139_event,
    rm140_signal,
    rm141_query,
    rm142_update,
    rm143_wait_condition,
    rm144_external_handle,
    rm146_shield,
    rm150_sleep,
    rm151_workflow_context,
    rm152_surroundings,
    rm160_child_workflow,
    rm161_continue_as_new,
    rm190_patches,
)
from migrate.rules.temporal.calls import ACTIVITY_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrate.index.model import Definition
    from migrate.rules.temporal.place import Place, Work

CANCELLED: Final = "asyncio.CancelledError"
TASK: Final = "asyncio.Task"
_WORKFLOW: Final = "temporalio.workflow."

#: Decorators of message handlers.
HANDLER_RULES: Final[Mapping[str, Callable[[Work, Definition, ast.expr], None]]] = {
    rm140_signal.SIGNAL: rm140_signal.convert,
    rm141_query.QUERY: rm141_query.convert,
    rm142_update.UPDATE: rm142_update.convert,
}

#: Parts of asyncio that no rule converts.
_ASYNCIO: Final = (
    *("timeout_at", "run", "to_thread", "current_task"),
    "Condition",
    *("get_event_loop", "get_running_loop"),
)
_REFUSED: Final = tuple(f"asyncio.{name}" for name in _ASYNCIO)

#: Calls in workflow code.
CALLS: Final[Mapping[str, Callable[[Place], None]]] = {
    **dict.fromkeys(ACTIVITY_CALLS, rm120_execute_activity.convert),
    **dict.fromkeys(rm150_sleep.NAMES, rm150_sleep.convert),
    **dict.fromkeys(rm160_child_workflow.NAMES, rm160_child_workflow.convert),
    **dict.fromkeys(rm132_tasks.TASKS, rm132_tasks.convert_task),
    **dict.fromkeys(rm132_tasks.CANCELS, rm132_tasks.convert_cancel),
    **dict.fromkeys(rm132_tasks.RESULTS, rm132_tasks.convert_result),
    rm132_tasks.FUTURE: rm132_tasks.convert_future,
    rm135_time_limit.WAIT_FOR: rm135_time_limit.convert_wait_for,
    rm135_time_limit.TIMEOUT: rm135_time_limit.convert_timeout,
    **dict.fromkeys(rm136_as_completed.NAMES, rm136_as_completed.convert),
    rm137_task_group.GROUP: rm137_task_group.convert,
    **dict.fromkeys(rm144_external_handle.GETS, rm144_external_handle.convert_get),
    **dict.fromkeys(rm144_external_handle.SIGNALS, rm144_external_handle.convert_message),
    **dict.fromkeys(_REFUSED, rm132_tasks.refuse),
    rm146_shield.SHIELD: rm146_shield.convert,
    **dict.fromkeys(race.WAITS, rm132_tasks.convert_wait),
    **dict.fromkeys(rm133_queue.NAMES, rm133_queue.convert_method),
    rm133_queue.QUEUE: rm133_queue.convert_constructor,
    rm134_lock.LOCK: rm134_lock.convert_constructor,
    **dict.fromkeys(rm138_semaphore.NAMES, rm138_semaphore.convert_constructor),
    rm139_event.EVENT: rm139_event.convert_constructor,
    **dict.fromkeys(rm139_event.NAMES, rm139_event.convert_method),
    rm144_external_handle.CANCEL: rm144_external_handle.convert_message,
    rm131_gather.GATHER: rm131_gather.convert,
    rm143_wait_condition.WAIT: rm143_wait_condition.convert,
    rm161_continue_as_new.NAME: rm161_continue_as_new.convert,
    rm190_patches.PATCHED: rm190_patches.convert,
    rm190_patches.DEPRECATE: rm190_patches.convert,
    **dict.fromkeys(rm152_surroundings.NAMES, rm152_surroundings.convert),
    **{
        f"{_WORKFLOW}{name}": rm151_workflow_context.convert
        for name in ("now", "time", "time_ns", "uuid4", "random", "info")
    },
}


def _error(place: Place) -> None:
    rm125_errors.convert(place.draft, place.module, place.node, place.name)


def _cancelled(place: Place) -> None:
    rm125_errors.convert(place.draft, place.module, place.node, "temporalio.exceptions.CancelledError")


def _wrapped_cancelled(place: Place) -> None:
    """Temporal's own class is only ever the cause of another error in a workflow; here it is the cancellation."""
    rm125_errors.convert(place.draft, place.module, place.node, place.name)
    handler = place.parent if isinstance(place.parent, ast.ExceptHandler) else place.module.parents.get(place.parent)  # type: ignore[arg-type]
    if isinstance(handler, ast.ExceptHandler):
        message = "in Temporal this class is the cause of an ActivityError here; now every cancellation is caught"
        action = "Look whether the handler is meant for the cancellation of the workflow."
        place.draft.note(place.module, place.node, rm125_errors.RULE.code, "review", message, action)


def _activity(place: Place) -> None:
    rm124_activity_context.convert(place.draft, place.module, place.node, place.name)


#: Names in workflow code that are not called.
NAMES: Final[Mapping[str, Callable[[Place], None]]] = {
    CANCELLED: _cancelled,
    "temporalio.exceptions.CancelledError": _wrapped_cancelled,
    rm133_queue.QUEUE: rm133_queue.convert_annotation,
    rm134_lock.LOCK: rm132_tasks.refuse,
    **dict.fromkeys(rm138_semaphore.NAMES, rm132_tasks.refuse),
    rm139_event.EVENT: rm139_event.convert_annotation,
    rm152_surroundings.ALL_HANDLERS: rm152_surroundings.convert,
    rm160_child_workflow.ID: rm160_child_workflow.convert_id,
    **dict.fromkeys((*_REFUSED, rm132_tasks.FUTURE), rm132_tasks.refuse),
    **dict.fromkeys(rm125_errors.FAILURES, rm125_errors.convert_failure),
}


def is_workflow_name(name: str) -> bool:
    """Tell whether a name is the business of the rules for workflow code."""
    return name in NAMES or prefix_handler(name) is not None


def prefix_handler(name: str) -> Callable[[Place], None] | None:
    """Return the rule for names that are known by how they begin."""
    if name == f"{_WORKFLOW}logger" or name.startswith(f"{_WORKFLOW}logger."):
        return rm151_workflow_context.convert
    if name.startswith("asyncio.Task."):
        return rm132_tasks.refuse
    return None
