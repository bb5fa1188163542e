"""The changes of one request, laid over what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resonate_core.machine.state import Effects, Outgoing, TaskRow

if TYPE_CHECKING:
    from resonate_core.machine.state import View
    from resonate_core.protocol.records import PromiseRecord, ScheduleRecord
    from resonate_core.protocol.requests import Sent


class Draft:
    """Reads through to the view, remembers what changes. Lists reach only one request far, which is all that is asked.

    Args:
        view: what is stored.
        now_ms: the one reading of the clock that counts for this request.
        retry_ms: how long a pending task waits before it is offered again.
    """

    __slots__ = ("effects", "now_ms", "retry_ms", "view")

    def __init__(self, view: View, *, now_ms: int, retry_ms: int) -> None:
        self.view = view
        self.now_ms = now_ms
        self.retry_ms = retry_ms
        self.effects = Effects()

    # -- reading -------------------------------------------------------------------------------------------------

    def promise(self, id: str) -> PromiseRecord | None:
        """One promise, as this request has left it."""
        effects = self.effects
        return effects.settled.get(id) or effects.created.get(id) or self.view.promise(id)

    def task(self, id: str) -> TaskRow | None:
        """One task, as this request has left it."""
        return self.effects.tasks.get(id) or self.view.task(id)

    def awaiters(self, awaited: str) -> list[str]:
        """Tasks to wake, without those whose registration this request has removed."""
        changed = self.effects.callbacks
        return [a for a in self.view.awaiters(awaited) if changed.get((awaited, a), True)]

    # -- changing ------------------------------------------------------------------------------------------------

    def create(self, promise: PromiseRecord) -> None:
        """Add a promise."""
        self.effects.created[promise.id] = promise

    def settle(self, promise: PromiseRecord) -> None:
        """Replace a pending promise by its settled record."""
        effects = self.effects
        (effects.created if promise.id in effects.created else effects.settled)[promise.id] = promise

    def put_task(self, task: TaskRow) -> None:
        """Add or replace a task."""
        self.effects.tasks[task.id] = task

    def put_schedule(self, schedule: ScheduleRecord) -> None:
        """Add or replace a schedule."""
        self.effects.schedules[schedule.id] = schedule

    def send(self, address: str, message: Sent, *, prefer: str | None = None) -> None:
        """Queue a message."""
        self.effects.outbox.append(Outgoing(address, message, prefer))
