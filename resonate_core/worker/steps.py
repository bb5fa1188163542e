"""The step runner: attempts of leaf functions, in threads or on an event loop, with limits and retries.

Nothing a step does reaches a thread of the runtime: whatever it returns or raises, whenever and however late, becomes
one ``StepOutcome``, reported once. A step that never ends costs a thread until its limit, and nobody else waits for it.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from resonate_core.clock import SystemClock
from resonate_core.errors import CanceledError, Cancelled, StepCrashedError, StepTimeoutError, StoppedError
from resonate_core.retry import give_up_reason, next_delay_ms, resolve
from resonate_core.worker.steps_attempt import Attempt, InterruptedAttempt
from resonate_core.worker.steps_call import StepCall, StepHandle, StepOutcome
from resonate_core.worker.steps_inline import InlineLoop, InlineThreads
from resonate_core.worker.steps_invoke import is_binding_error, refusal
from resonate_core.worker.steps_loop import StepLoop
from resonate_core.worker.steps_threads import StepThreads
from resonate_core.worker.steps_timers import Timers

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from resonate_core.clock import Clock
    from resonate_core.worker.steps_call import RetryState
    from resonate_core.worker.steps_timers import Entry

__all__ = ["THREADS_MAX", "StepCall", "StepHandle", "StepOutcome", "StepRunner"]

#: Threads for plain steps. Blocking calls spend their time waiting, so many more than processors are useful.
THREADS_MAX = 256

_logger = logging.getLogger("resonate.step")


class StepRunner:
    """Runs steps.

    Args:
        max_threads: plain functions that run at the same time.
        clock: seam of time; a virtual one makes retry waits and limits pass without sleeping.
        loop: the program's event loop for async steps; without one a private loop runs them.
        on_heartbeat: told of every heartbeat, on the step's thread; keeps details over a recovery.
        inline: run steps in the calling thread, each to its end, and leave the passing of time to ``run_due``.
    """

    def __init__(
        self,
        *,
        max_threads: int = THREADS_MAX,
        clock: Clock | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        on_heartbeat: Callable[[StepCall, tuple[Any, ...]], None] | None = None,
        inline: bool = False,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.is_inline = inline
        self.timers = Timers(self.clock, threaded=not inline)
        self.threads = InlineThreads() if inline else StepThreads(max_threads, self._describe)
        self.loop: InlineLoop | StepLoop = InlineLoop() if inline else StepLoop(loop)
        self.on_heartbeat = on_heartbeat
        self._open: dict[int, Series] = {}
        self._is_stopped = False

    def use_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run async steps on the program's event loop from now on."""
        if not self.is_inline:
            self.loop = StepLoop(loop)

    def submit(self, call: StepCall, on_done: Callable[[StepOutcome], None]) -> StepHandle:
        """Start a step and return at once.

        Args:
            call: what to run.
            on_done: called once, on whatever thread the step ends; it must be quick and must not raise.

        Raises:
            StoppedError: the runner was stopped.
        """
        if self._is_stopped:
            raise StoppedError(f"step {call.name!r} ({call.id}) was not started: the runner has been stopped")
        series = Series(self, call, on_done)
        self._open[id(series)] = series
        series.start_attempt(call.first_attempt)
        if self.is_inline:
            self.timers.run_due()  # retries without a wait
        return series

    def run_due(self) -> int:
        """Start the retries and end the attempts whose time has come; return how many. For ``inline`` runners."""
        return self.timers.run_due()

    def next_due_ms(self) -> int | None:
        """Return milliseconds until ``run_due`` has something to do, None if nothing waits."""
        wait_ms = self.timers.next_due_in()
        return None if wait_ms is None else math.ceil(wait_ms)

    @property
    def open_count(self) -> int:
        """Steps whose outcome has not been reported."""
        return len(self._open)

    def stop(self) -> None:
        """Start nothing any more and wait for nothing; steps without outcome are reported as interrupted."""
        self._is_stopped = True
        self.timers.stop()
        for series in list(self._open.values()):
            series.interrupt()
        self.threads.stop()
        self.loop.stop()

    def forget(self, series: Series) -> None:
        """Drop a series that has its outcome."""
        self._open.pop(id(series), None)

    def _describe(self) -> str:
        running = [series.call.name for series in list(self._open.values())[:10]]
        return ", ".join(sorted(set(running)))


class Series:
    """The attempts of one call; the ``StepHandle`` of whoever submitted it."""

    __slots__ = (
        "_attempt",
        "_last_error",
        "_on_done",
        "_policy",
        "_unreported",
        "_waiting",
        "call",
        "cancel_reason",
        "heartbeat_details",
        "runner",
    )

    def __init__(self, runner: StepRunner, call: StepCall, on_done: Callable[[StepOutcome], None]) -> None:
        self.runner = runner
        self.call = call
        self.cancel_reason: str | None = None
        self.heartbeat_details = call.heartbeat_details
        self._on_done = on_done
        self._policy = call.policy
        self._unreported = [None]
        self._attempt: Attempt | None = None
        self._waiting: Entry | None = None
        self._last_error: Exception | None = None

    def start_attempt(self, number: int) -> None:
        """Begin one attempt."""
        self._waiting = None
        self._attempt = attempt = Attempt(self, number)
        if self.cancel_reason is not None:
            attempt.end_from_outside(Cancelled(self.cancel_reason))
            return
        attempt.dispatch()

    def cancel(self, reason: str = "", *, abandon: bool = False) -> None:
        """Ask the step to stop, see ``StepHandle``."""
        if self.cancel_reason is None:
            self.cancel_reason = reason
        waiting, attempt = self._waiting, self._attempt
        if waiting is not None:
            self._end_waiting(waiting)
        elif attempt is not None and abandon:
            attempt.end_from_outside(Cancelled(reason))
        elif attempt is not None:
            attempt.request_cancel()

    def interrupt(self) -> None:
        """Report that nothing is known about the outcome, because the runner stops."""
        attempt = self._attempt
        if attempt is not None and self._waiting is None:
            attempt.end_from_outside(InterruptedAttempt("the runner was stopped"))
        self._report(None, StoppedError(f"step {self.call.name!r} ({self.call.id}) was interrupted"), "interrupted")

    def note_heartbeat(self, details: tuple[Any, ...]) -> None:
        """Keep what the function said."""
        if details:
            self.heartbeat_details = details
        if self.runner.on_heartbeat is not None:
            self.runner.on_heartbeat(self.call, details)

    def attempt_ended(self, attempt: Attempt, value: Any, error: BaseException | None) -> None:
        """Report the outcome, or arrange the next attempt."""
        if error is None:
            refused = refusal(self.call.name, value)
            if refused is None:
                self._report(value, None, "completed")
                return
            error = refused
        if isinstance(error, InterruptedAttempt):
            self._report(None, StoppedError(f"step {self.call.name!r} ({self.call.id}): {error}"), "interrupted")
            return
        ordinary = self._ordinary(error)
        state = self._final_state(attempt, ordinary)
        if state is not None:
            self._report(None, ordinary, state)

    def _ordinary(self, error: BaseException) -> Exception:
        """Return an exception that the caller can handle; control signals and exits are none."""
        if isinstance(error, Exception):
            return error
        if isinstance(error, Cancelled):
            reason = self.cancel_reason or str(error)
            return CanceledError(f"step {self.call.name!r} ({self.call.id}) was cancelled" + (reason and f": {reason}"))
        name = type(error).__name__
        crashed = StepCrashedError(
            f"step {self.call.name!r} ({self.call.id}) raised {name}({error}); a step must raise ordinary errors",
            crash_type=name,
        )
        crashed.__cause__ = error
        return crashed

    def _final_state(self, attempt: Attempt, error: Exception) -> RetryState | None:
        """Say why this was the last attempt; None when another one has been arranged."""
        if self.cancel_reason is not None or isinstance(error, CanceledError):
            return "cancel_requested"
        if isinstance(error, StepTimeoutError) and error.kind == "step":
            error.__cause__ = self._last_error
            return "timeout"
        delay_ms, state = self._decide(attempt.number, error)
        if delay_ms is None:
            return state
        self._last_error = error
        self._retry(attempt.number + 1, delay_ms)
        return None

    def _decide(self, number: int, error: Exception) -> tuple[int | None, RetryState]:
        """Return the wait before the next attempt, or None and why there is none."""
        call = self.call
        if is_binding_error(error, call.function, *self._arguments()):
            return None, "non_retryable_failure"
        try:
            self._policy = resolve(self._policy, call.function)
            delay_ms = next_delay_ms(self._policy, attempt=number, error=error, non_retryable=call.non_retryable)
        except Exception as problem:  # noqa: BLE001 - a policy of the user may raise anything
            error.add_note(f"not retried, its retry policy failed: {type(problem).__name__}: {problem}")
            return None, "non_retryable_failure"
        if delay_ms is None:
            return None, give_up_reason(self._policy, error, call.non_retryable)
        if call.deadline_ms is not None and self.runner.clock.now_ms() + delay_ms >= call.deadline_ms:
            return None, "timeout"
        return delay_ms, "completed"

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        call = self.call
        return ((call.context, *call.args) if call.takes_context else call.args), call.kwargs

    def _retry(self, number: int, delay_ms: int) -> None:
        self._waiting = waiting = self.runner.timers.add(delay_ms, lambda: self.start_attempt(number))
        if self.cancel_reason is not None:
            self._end_waiting(waiting)

    def _end_waiting(self, waiting: Entry) -> None:
        self.runner.timers.discard(waiting)
        self._report(None, self._ordinary(Cancelled(self.cancel_reason or "")), "cancel_requested")

    def _report(self, value: Any, error: Exception | None, state: RetryState) -> None:
        try:
            self._unreported.pop()
        except IndexError:
            return
        self.runner.forget(self)
        attempts = self._attempt.number if self._attempt is not None else self.call.first_attempt
        try:
            self._on_done(StepOutcome(value, error, attempts, state))
        except Exception:
            _logger.exception("the outcome of step %r (%s) could not be delivered", self.call.name, self.call.id)
