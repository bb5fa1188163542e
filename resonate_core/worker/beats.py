"""Heartbeats on their way from a step's thread to the record: at most one a second for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.limits import BEAT_RECORD_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.worker.steps_call import StepCall
    from resonate_core.worker.worker import Worker

    Details = tuple[Any, ...]
    Record = Callable[[Details], None]


class Beats:
    """What the heartbeats of running steps have said last.

    Args:
        worker: on whose thread they are recorded.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._records: dict[str, Record] = {}
        self._waiting: dict[str, Details] = {}
        self._recorded_ms: dict[str, int] = {}

    def watch(self, step_id: str, record: Record) -> None:
        """Record the heartbeats of a step from now on."""
        self._records[step_id] = record

    def forget(self, step_id: str) -> None:
        """A step has ended."""
        for table in (self._records, self._waiting, self._recorded_ms):
            table.pop(step_id, None)

    def heard(self, call: StepCall, details: Details) -> None:
        """Take a heartbeat, on the step's thread; one without details has nothing to keep."""
        if details:
            self._worker.post(lambda: self._take(call.id, details))

    def _take(self, step_id: str, details: Details) -> None:
        if step_id not in self._records:
            return
        is_planned = step_id in self._waiting
        self._waiting[step_id] = details
        if is_planned:
            return
        since = self._worker.clock.now_ms() - self._recorded_ms.get(step_id, 0)
        self._worker.after(max(0, BEAT_RECORD_MS - since), lambda: self._write(step_id))

    def _write(self, step_id: str) -> None:
        details, record = self._waiting.pop(step_id, None), self._records.get(step_id)
        if details is not None and record is not None:
            self._recorded_ms[step_id] = self._worker.clock.now_ms()
            record(details)
