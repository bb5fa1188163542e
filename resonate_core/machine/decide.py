"""The front door: one request, one response, and what changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resonate_core.limits import RETRY_MS
from resonate_core.machine import fences, promises, schedules, tasks, timers
from resonate_core.machine.draft import Draft
from resonate_core.machine.refusal import RefusedError
from resonate_core.protocol import requests as r

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resonate_core.machine.state import Effects, View

_HANDLERS: Final[Mapping[type, Callable[[Draft, Any], r.Response]]] = {
    r.PromiseGet: promises.get,
    r.PromiseCreate: promises.create_promise,
    r.PromiseSettle: promises.settle,
    r.PromiseRegisterCallback: promises.register_callback,
    r.PromiseRegisterListener: promises.register_listener,
    r.PromiseSearch: promises.search,
    r.TaskGet: tasks.get,
    r.TaskCreate: tasks.create,
    r.TaskAcquire: tasks.acquire,
    r.TaskFence: fences.fence,
    r.FenceSettled: fences.fence_settled,
    r.MessageAppend: fences.message_append,
    r.TaskHeartbeat: tasks.heartbeat,
    r.TaskSuspend: tasks.suspend,
    r.TaskFulfill: tasks.fulfill,
    r.FulfillIfRead: tasks.fulfill_if_read,
    r.TaskRelease: tasks.release,
    r.TaskHalt: tasks.halt,
    r.TaskContinue: tasks.continue_,
    r.TaskSearch: tasks.search,
    r.ScheduleCreate: schedules.create_schedule,
    r.ScheduleGet: schedules.get,
    r.ScheduleDelete: schedules.delete,
    r.ScheduleSearch: schedules.search,
}


def decide(view: View, request: r.Request, *, now_ms: int, retry_ms: int = RETRY_MS) -> tuple[r.Response, Effects]:
    """Decide one request.

    Args:
        view: what is stored, with the effects of all earlier decisions.
        request: any request of the protocol.
        now_ms: the instant at which it is decided.
        retry_ms: how long a pending task waits before it is offered again.

    Returns:
        The response, and the changes to commit before it is given out. A refused request changes nothing but promises
        that it names and whose deadline had passed.
    """
    draft = Draft(view, now_ms=now_ms, retry_ms=retry_ms)
    try:
        return _HANDLERS[type(request)](draft, request), draft.effects
    except RefusedError as refused:
        return r.Response(refused.status, error=str(refused)), draft.effects


def fire(view: View, due: timers.Due, *, now_ms: int, retry_ms: int = RETRY_MS) -> Effects:
    """Decide what one due timer changes."""
    draft = Draft(view, now_ms=now_ms, retry_ms=retry_ms)
    timers.fire(draft, due)
    return draft.effects
