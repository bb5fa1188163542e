"""What goes into the step runner and what comes out: one call of a leaf function, and how its attempts ended."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

#: Why there is no further attempt. ``interrupted`` is no result: the runner or its event loop was stopped, and the step
#: has to run again elsewhere.
RetryState = Literal[
    "completed",
    "non_retryable_failure",
    "maximum_attempts_reached",
    "retry_policy_not_set",
    "timeout",
    "cancel_requested",
    "interrupted",
]


class StepCall(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt series of a function.

    Attributes:
        id: the step's durable promise.
        root_id: the execution it belongs to.
        name: registered name, for errors and logs.
        function: anything callable, sync or async.
        args: positional arguments, without the context.
        kwargs: named arguments.
        policy: retry policy; None is one attempt.
        attempt_timeout_ms: limit of one attempt, counted from its start.
        deadline_ms: end of the whole series, retries and waits included, milliseconds since the epoch.
        heartbeat_timeout_ms: longest silence of an attempt.
        first_attempt: number of the first attempt made here; above 1 after a recovery.
        context: first argument of the function, if it takes one.
        takes_context: whether it does.
        non_retryable: errors that are final, by class or name, beside those of the policy.
        heartbeat_details: what the last heartbeat said before a recovery.
    """

    id: str
    root_id: str
    name: str
    function: Any
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    policy: Any = None
    attempt_timeout_ms: int | None = None
    deadline_ms: int | None = None
    heartbeat_timeout_ms: int | None = None
    first_attempt: int = 1
    context: Any = None
    takes_context: bool = False
    non_retryable: tuple[Any, ...] = ()
    heartbeat_details: tuple[Any, ...] = ()


class StepOutcome(msgspec.Struct, frozen=True):
    """How an attempt series ended.

    Attributes:
        value: what the function returned, if ``error`` is None.
        error: an ordinary exception, ready to be raised in the caller.
        attempts: number of the last attempt that was started; recoveries included.
        retry_state: why no further attempt follows.
    """

    value: Any
    error: Exception | None
    attempts: int
    retry_state: RetryState


class StepHandle(Protocol):
    """A series that runs."""

    def cancel(self, reason: str = "", *, abandon: bool = False) -> None:
        """Ask the step to stop; no attempt starts after this.

        A wait between attempts ends at once. A running coroutine is cancelled; a plain function learns it from its
        next ``heartbeat()``. The outcome follows when the attempt has ended, and may still be a value.

        Args:
            reason: for the error's text.
            abandon: do not wait for the attempt: the outcome is reported at once and a late result is dropped.
        """
