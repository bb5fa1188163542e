"""What happens because time has passed. Firing late, early or twice changes nothing that it should not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from resonate_core.machine import schedules
from resonate_core.machine.lifecycle import offer, touch
from resonate_core.protocol.requests import Execute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resonate_core.machine.draft import Draft

#: Deadlines of promises, ends of leases, retry instants of pending tasks, instants of schedules; fired in this order.
TimerKind = Literal["promise", "lease", "retry", "schedule"]


class Due(msgspec.Struct, frozen=True):
    """A timer whose instant has come."""

    kind: TimerKind
    id: str


def _expire(draft: Draft, id: str) -> None:
    touch(draft, id)


def _lapse(draft: Draft, id: str) -> None:
    """Offer a task again whose holder has not been heard of."""
    touch(draft, id)
    task = draft.task(id)
    if task is not None and task.state == "acquired" and task.due_at is not None and task.due_at <= draft.now_ms:
        offer(draft, task, "lapse")


def _retry(draft: Draft, id: str) -> None:
    """Offer a pending task that nobody took, or whose delay has passed."""
    touch(draft, id)
    task = draft.task(id)
    if task is not None and task.state == "pending" and task.due_at is not None and task.due_at <= draft.now_ms:
        draft.put_task(msgspec.structs.replace(task, due_at=draft.now_ms + draft.retry_ms, is_offered=True))
        draft.send(task.address, Execute(task.id, task.version))


_FIRE: Final[Mapping[TimerKind, Callable[[Draft, str], None]]] = {
    "promise": _expire,
    "lease": _lapse,
    "retry": _retry,
    "schedule": schedules.fire,
}


def fire(draft: Draft, due: Due) -> None:
    """Carry out one timer."""
    _FIRE[due.kind](draft, due.id)
