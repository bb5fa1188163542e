"""What a hold has to write: one submission at a time, in order, tried again while the store cannot."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from resonate_core.limits import WRITE_RETRY_MAX_MS, WRITE_RETRY_MS
from resonate_core.protocol.requests import (
    FenceSettled,
    FulfillIfRead,
    Response,
    TaskFence,
    TaskFulfill,
    TaskSuspend,
)

if TYPE_CHECKING:
    from resonate_core.scheduler.effects import Write
    from resonate_core.worker.hold import Hold

_logger = logging.getLogger("resonate_core")

#: Requests that carry the fencing version: 404 and 409 mean that the task is not held (any more).
_FENCED = (FenceSettled, TaskFence, TaskFulfill, FulfillIfRead, TaskSuspend)
_NOT_TRIED = 424


class Writes:
    """The outbox of a hold."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._waiting: list[Write] = []
        self._sent: list[Write] = []
        self._failures = 0
        self._must_flush = False

    @property
    def is_under_way(self) -> bool:
        """Whether a submission has not been answered."""
        return bool(self._sent)

    @property
    def has_waiting(self) -> bool:
        """Whether something is noted that has not been sent."""
        return bool(self._waiting)

    def add(self, writes: list[Write]) -> None:
        """Note what goes out with the next submission."""
        self._waiting.extend(writes)

    def flush(self) -> None:
        """Send what has piled up: now, or as soon as the submission under way is answered."""
        if self._sent:
            self._must_flush = True
            return
        self._must_flush = False
        if not self._waiting:
            return
        self._sent, self._waiting = self._waiting, []
        self._hold.worker.submit([write.request for write in self._sent], self._answered)

    def _answered(self, responses: list[Response]) -> None:
        sent, self._sent = self._sent, []
        hold = self._hold
        if hold.is_gone:
            return
        for number, (write, response) in enumerate(zip(sent, responses, strict=True)):
            if response.status == 0:
                self._try_again(sent[number:], response.error or "no answer")
                return
            if response.status == _NOT_TRIED:
                self._waiting[:0] = sent[number:]
                self._must_flush = True
                break
            if not self._tell(write, response):
                return
        self._failures = 0
        if self._must_flush:
            self.flush()
        hold.worker.touch(hold)
        hold.run_deferred()

    def _tell(self, write: Write, response: Response) -> bool:
        """Hand over one answer; return whether the task is still held, and not suspended."""
        hold = self._hold
        if response.status in (404, 409) and isinstance(write.request, _FENCED):
            hold.lost(response.error or f"{type(write.request).__name__} was answered with {response.status}")
        elif write.then is not None:
            write.then(response)
        elif response.status not in (200, 300):
            _logger.error("%s: %s was refused with %d: %s", hold.id, write.request, response.status, response.error)
        return hold.is_leased and not hold.is_gone

    def _try_again(self, writes: list[Write], why: str) -> None:
        """Everything is idempotent by id and version: send the same again, later."""
        pause = min(WRITE_RETRY_MS * 2**self._failures, WRITE_RETRY_MAX_MS)
        self._failures = min(self._failures + 1, 16)
        _logger.error("%s: nothing could be written (%s); trying again in %d ms", self._hold.id, why, pause)
        self._sent = writes

        def again() -> None:
            if not self._hold.is_gone:
                self._hold.worker.submit([write.request for write in self._sent], self._answered)

        self._hold.worker.after(pause, again)
