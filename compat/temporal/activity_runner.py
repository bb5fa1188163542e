"""Runs attempts of activities on temporalio's own activity worker, with the limits that Temporal's server keeps.

temporalio's activity worker polls for tasks, runs them with its interceptors and converters, and reports completions.
The runner is what it polls, on the event loop of the program; ``attempt`` is one task from its start to its completion,
its time limit, its missing heartbeat or its cancellation, whichever comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from temporalio.api.enums.v1 import TimeoutType
from temporalio.bridge.proto.activity_task import ActivityCancelReason, ActivityTask, Start

from compat.temporal import failures
from compat.temporal.payloads import all_to_stored, payloads_of, to_stored
from compat.temporal.private import PollShutdownError

if TYPE_CHECKING:
    from collections.abc import Callable

    from temporalio.bridge.proto import ActivityHeartbeat, ActivityTaskCompletion

#: How often the details of heartbeats are made durable: a part of the heartbeat timeout, a default, and the most.
_BEAT_PART: Final = 0.8
_BEAT_DEFAULT_S: Final = 30.0
_BEAT_MAX_S: Final = 60.0

#: What an activity that a stopping worker cancelled ends with: a failure of the attempt, to be tried again elsewhere.
_SHUT_DOWN: Final = "Worker is shutting down and this activity did not complete in time"

_REASONS: Final = {
    "CANCELLED": (ActivityCancelReason.CANCELLED, "is_cancelled"),
    "TIMED_OUT": (ActivityCancelReason.TIMED_OUT, "is_timed_out"),
    "NOT_FOUND": (ActivityCancelReason.NOT_FOUND, "is_not_found"),
    "WORKER_SHUTDOWN": (ActivityCancelReason.WORKER_SHUTDOWN, "is_worker_shutdown"),
}


@dataclass
class _Running:
    done: asyncio.Future[dict[str, Any]]
    on_beat: Callable[[list[Any]], None] | None
    beat_every_s: float
    beat: asyncio.Event = field(default_factory=asyncio.Event)
    details: list[Any] = field(default_factory=list)
    last_written: float = 0.0
    is_shut_down: bool = False


@dataclass(frozen=True)
class Limits:
    """Limits of one attempt in seconds, 0 for none; ``close_kind`` is what a too long attempt is blamed on.

    Attributes:
        start: how long the attempt may wait for a free slot, None for as long as it takes.
        close: how long it may take.
        heartbeat: how long it may be silent.
    """

    start: float | None = None
    close: float = 0
    heartbeat: float = 0
    close_kind: TimeoutType.ValueType = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE


class ActivityRunner:
    """Attempts that run in this process. All methods but ``cancel`` belong to the event loop.

    Args:
        slots: attempts that run at the same time.
        per_second: attempts that begin within a second, 0 for no limit.
    """

    def __init__(self, *, slots: int, per_second: float = 0) -> None:
        self._queue: asyncio.Queue[ActivityTask | None] = asyncio.Queue()
        self._slots = asyncio.Semaphore(slots)
        self._interval_s = 1 / per_second if per_second else 0
        self._next_start = 0.0
        self._running: dict[bytes, _Running] = {}
        self._undelivered: dict[bytes, ActivityTask] = {}
        #: Tells temporalio's activity worker that a task is cancelled; False if it does not run there.
        self.deliver_cancel: Callable[[ActivityTask], bool] = lambda _task: False
        self._cancelled: dict[bytes, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- what temporalio's activity worker calls -------------------------------------------------------------------

    async def poll(self) -> ActivityTask:
        """Return the next task; raises when there will be none."""
        for token, cancel in list(self._undelivered.items()):
            if self.deliver_cancel(cancel):  # its start was handled since the last poll
                del self._undelivered[token]
        task = await self._queue.get()
        if task is None:
            raise PollShutdownError
        return task

    def complete(self, completion: ActivityTaskCompletion) -> None:
        """Take the outcome of an attempt; one that nobody waits for any more is dropped."""
        self._undelivered.pop(completion.task_token, None)
        running = self._running.get(completion.task_token)
        if running is not None and not running.done.done():
            outcome = _outcome(completion.result, running.details)
            if completion.result.HasField("cancelled") and running.is_shut_down:
                outcome["failure"] = failures.to_dict(failures.application(_SHUT_DOWN, "WorkerShutdown"))
            running.done.set_result(outcome)

    def heartbeat(self, heartbeat: ActivityHeartbeat) -> None:
        """Take a heartbeat; its details are made durable now and then."""
        running = self._running.get(heartbeat.task_token)
        if running is None:
            return
        running.beat.set()
        running.details = all_to_stored(heartbeat.details)
        now = time.monotonic()
        if running.on_beat and running.details and now - running.last_written >= running.beat_every_s:
            running.last_written = now
            running.on_beat(running.details)

    # -- what drivers call -----------------------------------------------------------------------------------------

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say on which loop attempts run."""
        self._loop = loop

    async def attempt(
        self, token: bytes, start: Start, limits: Limits, *, on_beat: Callable[[list[Any]], None] | None = None
    ) -> dict[str, Any]:
        """Run one attempt.

        Returns:
            ``{"result": stored}``, ``{"failure": failure}`` or ``{"async": True}``; with ``"details"`` of the last
            heartbeat.
        """
        if not await self._slot_within(limits.start):
            return _timed_out(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START, [])
        try:
            await self._pace()
            every = min(limits.heartbeat * _BEAT_PART or _BEAT_DEFAULT_S, _BEAT_MAX_S)
            loop = asyncio.get_running_loop()
            running = _Running(loop.create_future(), on_beat, every)
            running.details = all_to_stored(start.heartbeat_details)
            self._running[token] = running
            start.started_time.GetCurrentTime()
            self._queue.put_nowait(ActivityTask(task_token=token, start=start))
            if token in self._cancelled:
                self._cancel_now(token, self._cancelled[token])
            try:
                return await self._watch(token, running, limits)
            except asyncio.CancelledError:
                self._cancel_now(token, "NOT_FOUND")
                raise
            finally:
                self._running.pop(token, None)
                self._cancelled.pop(token, None)
        finally:
            self._slots.release()

    async def _slot_within(self, seconds: float | None) -> bool:
        """Wait for a free slot; return whether there was one in time."""
        try:
            await asyncio.wait_for(self._slots.acquire(), seconds)
        except TimeoutError:
            return False
        return True

    async def _pace(self) -> None:
        if not self._interval_s:
            return
        now = time.monotonic()
        begin = max(now, self._next_start)
        self._next_start = begin + self._interval_s
        if begin > now:
            await asyncio.sleep(begin - now)

    async def _watch(self, token: bytes, running: _Running, limits: Limits) -> dict[str, Any]:
        begin = time.monotonic()
        last_beat = begin
        while True:
            ends = [(begin + limits.close, limits.close_kind)] if limits.close else []
            if limits.heartbeat:
                ends.append((last_beat + limits.heartbeat, TimeoutType.TIMEOUT_TYPE_HEARTBEAT))
            end, kind = min(ends) if ends else (None, limits.close_kind)
            wait_s = None if end is None else max(0.0, end - time.monotonic())
            if await _first(running, wait_s, listens=bool(limits.heartbeat)):
                return running.done.result()
            if running.beat.is_set():
                running.beat.clear()
                last_beat = time.monotonic()
            elif end is not None and time.monotonic() >= end:
                self._cancel_now(token, "TIMED_OUT")
                return _timed_out(kind, running.details)

    def cancel(self, token: bytes, reason: str) -> None:
        """Ask an attempt to stop; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel_soon, token, reason)

    def _cancel_soon(self, token: bytes, reason: str) -> None:
        self._cancelled[token] = reason
        if token in self._running:
            self._cancel_now(token, reason)

    def _cancel_now(self, token: bytes, reason: str) -> None:
        code, flag = _REASONS[reason]
        task = ActivityTask(task_token=token)
        task.cancel.reason = code
        setattr(task.cancel.details, flag, True)
        if not self.deliver_cancel(task) and token in self._running:
            self._undelivered[token] = task

    # -- the end ---------------------------------------------------------------------------------------------------

    async def drain(self, grace_s: float) -> None:
        """Let running attempts end; after the grace they are asked to."""
        waiting = [running.done for running in self._running.values()]
        if not waiting:
            return
        await asyncio.wait(waiting, timeout=grace_s)
        for token, running in list(self._running.items()):
            if not running.done.done():
                running.is_shut_down = True
                self._cancel_now(token, "WORKER_SHUTDOWN")
        left = [running.done for running in self._running.values()]
        if left:
            await asyncio.wait(left)

    def close(self) -> None:
        """Tell the poller that there will be no more tasks."""
        self._queue.put_nowait(None)


async def _first(running: _Running, wait_s: float | None, *, listens: bool) -> bool:
    """Wait for the outcome, a heartbeat if anybody counts them, or the time; return whether it was the outcome."""
    beat = asyncio.ensure_future(running.beat.wait()) if listens else None
    waiting: list[asyncio.Future[Any]] = [running.done] if beat is None else [running.done, beat]
    try:
        await asyncio.wait(waiting, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if beat is not None and not beat.done():
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat
    return running.done.done()


def _outcome(result: Any, details: list[Any]) -> dict[str, Any]:
    if result.HasField("completed"):
        return {"result": to_stored(result.completed.result)}
    if result.HasField("will_complete_async"):
        return {"async": True, "details": details}
    failure = result.failed.failure if result.HasField("failed") else result.cancelled.failure
    return {"failure": failures.to_dict(failure), "details": details}


def _timed_out(kind: TimeoutType.ValueType, details: list[Any]) -> dict[str, Any]:
    failure = failures.timeout(kind, TIMEOUT_TEXTS[kind])
    if details:
        failure.timeout_failure_info.last_heartbeat_details.CopyFrom(payloads_of(details))
    return {"failure": failures.to_dict(failure), "details": details}


#: What Temporal's server says of each limit.
TIMEOUT_TEXTS: Final = {
    TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE: "activity StartToClose timeout",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START: "activity ScheduleToStart timeout",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: "activity ScheduleToClose timeout",
    TimeoutType.TIMEOUT_TYPE_HEARTBEAT: "activity Heartbeat timeout",
}
