"""Drives one activity: its attempts and the waits between them, heartbeats, cancellation, completion from outside.

Every attempt is a durable step, so attempts are counted over crashes. Where the number of attempts is limited, or
heartbeats are kept, a mark is written before an attempt: an attempt whose mark is there and whose outcome is not died
with its process, and counts as timed out, as with Temporal. Without a limit it simply runs again.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.bridge.proto.activity_task import Start

from compat.temporal import failures
from compat.temporal.activity_meta import STARTED_EVENT, ActivityMeta
from compat.temporal.activity_runner import TIMEOUT_TEXTS, Limits
from compat.temporal.fields import assign
from compat.temporal.payloads import all_from_stored, map_from_stored
from compat.temporal.retries import decide
from resonate_core import Driver

if TYPE_CHECKING:
    from collections.abc import Generator

    from temporalio.api.failure.v1 import Failure

    from compat.temporal.host import Host
    from resonate_core import Context, Event, Promise


def token_of(promise_id: str, attempt: int) -> bytes:
    """Return the task token of an attempt: whoever has it can complete the activity."""
    return json.dumps({"promise": promise_id, "attempt": attempt}).encode()


def promise_of(token: bytes) -> str:
    """Return the promise that a task token names.

    Raises:
        ValueError: it is none of ours.
    """
    plain = json.loads(token)
    if not isinstance(plain, dict) or not isinstance(plain.get("promise"), str):
        raise ValueError("not a task token")  # noqa: TRY004 - a bad value of the right type
    return str(plain["promise"])


def start_of(meta: ActivityMeta, arguments: list[Any], *, scheduled_ms: int, attempt: int, details: list[Any]) -> Start:
    """Return the task that temporalio's activity worker is given."""
    start = Start(
        workflow_namespace=meta.namespace,
        workflow_type=meta.workflow_type,
        activity_id=meta.activity_id,
        activity_type=meta.activity_type,
        attempt=attempt,
        is_local=meta.is_local,
    )
    assign(start, "run_id", "" if meta.run_id else meta.activity_id)
    start.workflow_execution.workflow_id = meta.workflow_id
    start.workflow_execution.run_id = meta.run_id
    start.input.extend(all_from_stored(arguments))
    start.heartbeat_details.extend(all_from_stored(details))
    for key, value in map_from_stored(meta.headers).items():
        start.header_fields[key].CopyFrom(value)
    start.scheduled_time.FromMilliseconds(scheduled_ms)
    start.current_attempt_scheduled_time.GetCurrentTime()
    limits = {
        "schedule_to_close_timeout": meta.schedule_to_close,
        "start_to_close_timeout": meta.start_to_close or meta.schedule_to_close,
        "heartbeat_timeout": meta.heartbeat,
    }
    for name, seconds in limits.items():
        getattr(start, name).FromNanoseconds(round(seconds * 1e9))
    policy = meta.retry_policy
    policy.backoff_coefficient = policy.backoff_coefficient or 2.0
    if not policy.HasField("initial_interval"):
        policy.initial_interval.FromSeconds(1)
    if not policy.HasField("maximum_interval"):
        policy.maximum_interval.FromNanoseconds(policy.initial_interval.ToNanoseconds() * 100)
    start.retry_policy.CopyFrom(policy)
    if meta.priority:
        ParseDict(meta.priority, start.priority)
    return start


def limits_of(meta: ActivityMeta, *, scheduled_ms: int, now_ms: int) -> Limits:
    """Return the limits of an attempt that begins now."""
    close, kind = meta.start_to_close, TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    if meta.schedule_to_close:
        left = max(0.001, meta.schedule_to_close - (now_ms - scheduled_ms) / 1000)
        if not close or left < close:
            close, kind = left, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    return Limits(close=close, heartbeat=meta.heartbeat, close_kind=kind)


class ActivityRun:
    """One activity while a process holds it."""

    def __init__(self, ctx: Context, host: Host, arguments: tuple[Any, ...]) -> None:
        info = ctx.info
        self._ctx = ctx
        self._host = host
        self._drive = Driver(ctx)
        self._promise_id = ctx.execution.id
        self._arguments = list(arguments)
        self._meta = ActivityMeta.from_tags(info.tags, info.function, info.id)
        self._scheduled_ms = round(info.created_at * 1000)
        self._details: list[Any] = []
        self._cancel_reason: str | None = None
        self._attempt = 0
        self._beat_count = 0
        self._last_failure: Failure | None = None
        self._reported: dict[str, Any] | None = None

    def run(self) -> Generator[Any, Any, Any]:
        """Run attempts until one succeeds or none is left; the value is the stored result."""
        if self._meta.schedule_to_start:
            yield self._ctx.set_event(STARTED_EVENT, self._host.identity)
        while True:
            self._attempt += 1
            outcome = yield from self._one_attempt()
            self._host.forget_start(token_of(self._promise_id, self._attempt))
            if "failure" not in outcome:
                return outcome.get("result")
            self._details = outcome.get("details") or self._details
            failure = failures.from_dict(outcome["failure"])
            delay, state = self._decide(failure)
            if delay is None or (yield from self._was_cancelled_within(delay)):
                raise self._error(failures.last_of(failure, self._last_failure, state), state)
            self._last_failure = failure

    # -- one attempt ---------------------------------------------------------------------------------------------

    def _one_attempt(self) -> Generator[Any, Any, dict[str, Any]]:
        number, meta = self._attempt, self._meta
        mark = None
        if meta.retry_policy.maximum_attempts or meta.heartbeat:
            host = self._host

            def activity_begins() -> str:
                return host.incarnation

            mark = yield self._ctx.run(activity_begins).options(retry_policy=None)
        details = self._details

        async def activity_attempt() -> dict[str, Any]:
            return await self._attempt_step(number, mark, details)

        promise = yield self._ctx.begin_run(activity_attempt).options(retry_policy=None)
        outcome = yield from self._await_attempt(promise)
        if outcome.get("async"):
            return (yield from self._await_report())
        return outcome

    async def _attempt_step(self, number: int, mark: str | None, details: list[Any]) -> dict[str, Any]:
        host, meta = self._host, self._meta
        token = token_of(self._promise_id, number)
        if mark is not None and (mark != host.incarnation or not host.is_first_start(token)):
            kind = TimeoutType.TIMEOUT_TYPE_HEARTBEAT if meta.heartbeat else TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
            return {"failure": failures.to_dict(failures.timeout(kind, TIMEOUT_TEXTS[kind]))}
        now_ms = host.now_ms()
        start = start_of(meta, self._arguments, scheduled_ms=self._scheduled_ms, attempt=number, details=details)
        limits = limits_of(meta, scheduled_ms=self._scheduled_ms, now_ms=now_ms)
        if number == 1 and meta.schedule_to_start:
            waited_s = (now_ms - self._scheduled_ms) / 1000
            limits = dataclasses.replace(limits, start=max(0.0, meta.schedule_to_start - waited_s))
        return await host.runner.attempt(token, start, limits, on_beat=self._write_beat)

    def _write_beat(self, details: list[Any]) -> None:
        """Make heartbeat details durable, as a message of the activity to itself."""
        self._host.post_quietly(self._promise_id, {"kind": "heartbeat", "args": [details]})

    def _await_attempt(self, promise: Promise) -> Generator[Any, Any, dict[str, Any]]:
        while True:
            was_cancelled = self._cancel_reason is not None
            event = yield from self._next_event(promise)
            if event.message is None:
                if event.error is not None:
                    raise event.error
                outcome: dict[str, Any] = event.value
                return outcome
            if self._cancel_reason is not None and not was_cancelled:
                self._host.runner.cancel(token_of(self._promise_id, self._attempt), "CANCELLED")

    # -- messages ------------------------------------------------------------------------------------------------

    def _next_event(self, *promises: Promise) -> Generator[Any, Any, Event]:
        """Wait for a promise or a message, and take in all messages that came with it: none may be left at the end."""
        event: Event = yield self._drive.next_event(*promises)
        arrived = yield self._drive.messages()
        for message in ([event.message] if event.message is not None else []) + arrived:
            yield from self._take(message)
        return event

    def _take(self, message: Any) -> Generator[Any, Any, None]:
        if message.kind == "cancel":
            self._cancel_reason = str(message.content) if message.args else ""
        elif message.kind == "heartbeat":
            self._details = list(message.args[0])
            self._beat_count += 1
        elif message.kind == "complete":
            self._reported = message.args[0]
        if message.reply is not None:
            yield self._drive.settle(message.reply, value={"cancel_requested": self._cancel_reason is not None})

    def _await_report(self) -> Generator[Any, Any, dict[str, Any]]:
        """Wait for somebody outside to complete the activity, within the limits."""
        now_ms = round(self._ctx.now().timestamp() * 1000)
        limits = limits_of(self._meta, scheduled_ms=self._scheduled_ms, now_ms=now_ms)
        close = yield self._ctx.begin_sleep(limits.close) if limits.close else self._ctx.begin_sleep(10**9)
        beat = (yield self._ctx.begin_sleep(limits.heartbeat)) if limits.heartbeat else None
        while self._reported is None:
            promises = [close] if beat is None else [close, beat]
            beats = self._beat_count
            event = yield from self._next_event(*promises)
            if event.message is None and self._reported is None:
                kind = limits.close_kind if event.index == 0 else TimeoutType.TIMEOUT_TYPE_HEARTBEAT
                return {"failure": failures.to_dict(failures.timeout(kind, TIMEOUT_TEXTS[kind]))}
            if self._beat_count > beats and beat is not None:
                yield self._ctx.cancel(beat)
                beat = yield self._ctx.begin_sleep(limits.heartbeat)
        for timer in (close, beat):
            if timer is not None:
                yield self._ctx.cancel(timer)
        reported, self._reported = self._reported, None
        return reported

    # -- what follows a failure ------------------------------------------------------------------------------------

    def _decide(self, failure: Failure) -> tuple[float | None, RetryState.ValueType]:
        if self._cancel_reason is not None:
            return None, RetryState.RETRY_STATE_CANCEL_REQUESTED
        left = None
        if self._meta.schedule_to_close:
            spent = self._ctx.now().timestamp() - self._scheduled_ms / 1000
            left = self._meta.schedule_to_close - spent
        delay, state = decide(self._meta.retry_policy, attempt=self._attempt, failure=failure, left_s=left)
        kind = failure.timeout_failure_info.timeout_type
        if failure.HasField("timeout_failure_info") and kind not in (
            TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE,
            TimeoutType.TIMEOUT_TYPE_HEARTBEAT,
        ):
            state = RetryState.RETRY_STATE_TIMEOUT
        return delay, state

    def _was_cancelled_within(self, delay: float) -> Generator[Any, Any, bool]:
        """Wait before the next attempt; return True if the activity is cancelled meanwhile."""
        if not delay:
            return False
        timer = yield self._ctx.begin_sleep(delay)
        while True:
            event = yield from self._next_event(timer)
            if self._cancel_reason is not None:
                yield self._ctx.cancel(timer)
                return True
            if event.message is None:
                return False

    def _error(self, failure: Failure, state: RetryState.ValueType) -> Exception:
        if self._cancel_reason is not None and state == RetryState.RETRY_STATE_IN_PROGRESS:
            failure, state = failures.canceled("Activity cancelled"), RetryState.RETRY_STATE_CANCEL_REQUESTED
        return failures.error_of(failure, retry_state=int(state), identity=self._host.identity)
