"""One attempt of a step: it runs once, in a thread or as a task, and ends once, from inside or from outside.

Three tokens make that certain without locks, because taking the last element off a list is one indivisible step:
``_unstarted`` is taken by whoever starts the attempt or prevents its start, ``_unsettled`` by whoever ends it, and
``_thread`` by the thread that comes back from the function in time, or by whoever gives that thread up. What an attempt
does after it was ended from outside (a limit, an abandonment) is dropped.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any

from resonate_core.errors import Cancelled, StepTimeoutError
from resonate_core.isolation import isolated_call
from resonate_core.step_context import StepInfo, current_step
from resonate_core.worker.steps_invoke import is_async, is_awaitable

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from resonate_core.worker.steps import Series
    from resonate_core.worker.steps_timers import Entry


def _take(token: list[None]) -> bool:
    """Take a token; of several who try, one gets it."""
    try:
        token.pop()
    except IndexError:
        return False
    return True


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def _do_nothing() -> None:
    """The loop is gone, and the task with it."""


class InterruptedAttempt(BaseException):
    """The loop ended under the attempt; nothing is known about the step."""


class Attempt:
    """Also the ``StepScope`` that the function sees."""

    __slots__ = (
        "_last_beat",
        "_limit",
        "_started",
        "_started_ms",
        "_task",
        "_thread",
        "_unsettled",
        "_unstarted",
        "number",
        "series",
    )

    def __init__(self, series: Series, number: int) -> None:
        self.series = series
        self.number = number
        self._unstarted = [None]
        self._unsettled = [None]
        self._thread: list[None] = []
        self._limit: Entry | None = None
        self._task: asyncio.Task[None] | None = None
        self._started: float = 0
        self._started_ms = 0
        self._last_beat: float = 0

    # How it begins

    def dispatch(self) -> None:
        """Send the attempt to where it runs."""
        series = self.series
        if series.call.deadline_ms is not None:
            left_ms = series.call.deadline_ms - series.runner.clock.now_ms()
            if left_ms <= 0:
                self.end_from_outside(StepTimeoutError(self._timeout_text("step"), kind="step"))
                return
            self._limit = self._add_limit(left_ms)
        if not is_async(series.call.function):
            try:
                series.runner.threads.submit(self.run_in_thread)
            except RuntimeError as error:  # the machine has no thread left; the policy says whether to try again
                self.end_from_outside(error)
            return
        series.runner.loop.call(self.start_task, self._loop_is_gone)

    def run_in_thread(self) -> bool:
        """Run a plain function; say whether the thread is still the pool's."""
        self._thread.append(None)
        if not self._begin():
            return _take(self._thread)
        value: Any = None
        failure: BaseException | None = None
        try:
            value = Context().run(self._call)
        except BaseException as error:  # noqa: BLE001 - whatever a step raises is the step's outcome, never the thread's
            failure = error
        is_kept = _take(self._thread)
        if is_awaitable(value):
            self._continue_as_task(value)
        else:
            self.settle(value, failure)
        return is_kept

    def start_task(self) -> None:
        """Run a coroutine function; called on the loop."""
        if self._begin():
            self._make_task(None)

    def _continue_as_task(self, awaitable: Awaitable[Any]) -> None:
        """Await what a plain wrapper gave back, on the loop."""
        self.series.runner.loop.call(lambda: self._make_task(awaitable), self._loop_is_gone)

    def _loop_is_gone(self) -> None:
        self.settle(None, InterruptedAttempt("the event loop for async steps is closed; its program has ended"))

    def _begin(self) -> bool:
        if not _take(self._unstarted):
            return False  # ended before it began
        runner, call = self.series.runner, self.series.call
        self._started_ms = runner.clock.now_ms()
        self._started = self._last_beat = runner.timers.now()
        if call.attempt_timeout_ms is not None or call.heartbeat_timeout_ms is not None:
            self._watch()
        return True

    def _call(self) -> Any:
        current_step.set(self)
        call = self.series.call
        args, kwargs = call.args, call.kwargs
        if call.policy is not None:  # another attempt may follow, and shall not see what this one did to them
            args, kwargs = isolated_call(args, kwargs)
        if call.takes_context:
            return call.function(call.context, *args, **kwargs)
        return call.function(*args, **kwargs)

    def _make_task(self, awaitable: Awaitable[Any] | None) -> None:
        if not self._unsettled:
            return
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._drive(awaitable), context=Context())
        if self.series.cancel_reason is not None:
            self._task.cancel()

    async def _drive(self, awaitable: Awaitable[Any] | None) -> None:
        """Await the function inside the task; nothing gets past this into the loop."""
        current_step.set(self)
        try:
            value = await (self._call() if awaitable is None else awaitable)
        except asyncio.CancelledError as error:
            self.settle(None, self._meaning_of(error))
        except BaseException as error:  # noqa: BLE001 - SystemExit in a task would end the program's loop
            self.settle(None, error)
        else:
            self.settle(value, None)

    def _meaning_of(self, error: asyncio.CancelledError) -> BaseException:
        """Tell our cancellation and the end of the loop from one that the function raised by itself."""
        if self.series.cancel_reason is not None:
            return Cancelled(self.series.cancel_reason)
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            return InterruptedAttempt("the event loop cancelled the step; its program is ending")
        return error

    # How it ends

    def settle(self, value: Any, error: BaseException | None) -> bool:
        """End the attempt; False if it had been ended from outside."""
        if not _take(self._unsettled):
            return False
        if self._limit is not None:
            self.series.runner.timers.discard(self._limit)
            if self.series.runner.is_inline:  # nobody could look at the limits while the function ran
                due, kind = self._next_limit()
                error = error if due > 0 else StepTimeoutError(self._timeout_text(kind), kind=kind)
        self.series.attempt_ended(self, value, error)
        return True

    def end_from_outside(self, error: BaseException) -> None:
        """End the attempt whatever its function does; the function is told, and what it still does is dropped."""
        _take(self._unstarted)
        if not _take(self._unsettled):
            return
        if self._limit is not None:
            self.series.runner.timers.discard(self._limit)
        if self._task is not None:
            self._cancel_task(self._task)
        if _take(self._thread):
            self.series.runner.threads.thread_lost()
        self.series.attempt_ended(self, None, error)

    def request_cancel(self) -> None:
        """Tell the function to stop: now if it is a task, at its next heartbeat if it is not."""
        if self._task is not None:
            self._cancel_task(self._task)
        elif self._unstarted:
            self.end_from_outside(Cancelled(self.series.cancel_reason or ""))

    def _cancel_task(self, task: asyncio.Task[None]) -> None:
        self.series.runner.loop.call(lambda: _cancel(task), _do_nothing)

    # Its limits

    def _add_limit(self, delay_ms: float) -> Entry:
        return self.series.runner.timers.add(max(delay_ms, 0), self._check_limits)

    def _watch(self) -> None:
        if self._limit is not None:
            self.series.runner.timers.discard(self._limit)
        due, _ = self._next_limit()
        self._limit = self._add_limit(due)

    def _next_limit(self) -> tuple[float, str]:
        """Return milliseconds until the nearest limit, and its name."""
        runner, call = self.series.runner, self.series.call
        now = runner.timers.now()
        limits: list[tuple[float, str]] = []
        if call.deadline_ms is not None:
            limits.append((call.deadline_ms - runner.clock.now_ms(), "step"))
        if call.attempt_timeout_ms is not None and self._started_ms:
            limits.append((self._started + call.attempt_timeout_ms - now, "attempt"))
        if call.heartbeat_timeout_ms is not None and self._started_ms:
            limits.append((self._last_beat + call.heartbeat_timeout_ms - now, "heartbeat"))
        return min(limits)

    def _check_limits(self) -> None:
        due, kind = self._next_limit()
        if due > 0:
            self._limit = self._add_limit(due)
            return
        self.end_from_outside(StepTimeoutError(self._timeout_text(kind), kind=kind))

    def _timeout_text(self, kind: str) -> str:
        call = self.series.call
        what = f"step {call.name!r} ({call.id}), attempt {self.number}"
        if kind == "attempt":
            return f"{what}, took longer than its attempt_timeout of {(call.attempt_timeout_ms or 0) / 1000:g} s"
        if kind == "heartbeat":
            limit = (call.heartbeat_timeout_ms or 0) / 1000
            return f"{what}, sent no heartbeat for longer than its heartbeat_timeout of {limit:g} s"
        return f"{what}, had not ended when the time for the whole step was over"

    # What its function sees

    def beat(self, details: tuple[Any, ...]) -> None:
        """Note that the attempt is alive."""
        series = self.series
        if not self._unsettled:
            raise Cancelled("this attempt was given up; its result will not be used")
        self._last_beat = series.runner.timers.now()
        series.note_heartbeat(details)
        if series.cancel_reason is not None and self._task is None:
            raise Cancelled(series.cancel_reason)

    def info(self) -> StepInfo:
        """Describe the attempt."""
        call = self.series.call
        return StepInfo(
            id=call.id,
            root_id=call.root_id,
            name=call.name,
            attempt=self.number,
            started_ms=self._started_ms,
            deadline_ms=call.deadline_ms,
            attempt_timeout_ms=call.attempt_timeout_ms,
            heartbeat_timeout_ms=call.heartbeat_timeout_ms,
            heartbeat_details=self.series.heartbeat_details,
            is_cancelled=self.series.cancel_reason is not None or not self._unsettled,
        )
