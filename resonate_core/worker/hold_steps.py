"""The steps of a hold: from an execution's wish to a recorded outcome."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from resonate_core.errors import Cancelled, CodecError
from resonate_core.ids import beat_id
from resonate_core.isolation import isolated
from resonate_core.marks import durable_mark, step_mark
from resonate_core.protocol.requests import FenceSettled
from resonate_core.registry import name_of
from resonate_core.retry import Exponential
from resonate_core.scheduler.effects import Outcome, Write
from resonate_core.scheduler.environment import ATTEMPTS_HEADER, RETRY_STATE_HEADER
from resonate_core.scheduler.promises import Slot
from resonate_core.worker.steps_call import StepCall

if TYPE_CHECKING:
    from resonate_core.marks import StepMark
    from resonate_core.options import CallOptions
    from resonate_core.protocol.records import PromiseRecord, Value
    from resonate_core.protocol.requests import Response
    from resonate_core.scheduler.effects import StartStep
    from resonate_core.worker.hold import Hold
    from resonate_core.worker.steps_call import StepHandle, StepOutcome

_logger = logging.getLogger("resonate_core")

#: What the generator SDK does with a plain function that says nothing.
_UNMARKED_POLICY = Exponential()


class Steps:
    """Running steps by the id of their promise."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._running: dict[str, tuple[StartStep, StepHandle]] = {}
        self._beat_counts: dict[str, int] = {}
        self._count = 0

    @property
    def count(self) -> int:
        """Steps that run."""
        return self._count

    def start(self, start: StartStep) -> None:
        """Run a step; its outcome is recorded, then given to the execution."""
        hold = self._hold
        if start.slot.is_settled or start.slot.stop_reason is not None:
            return  # cancelled before it began
        self._count += 1
        call = self._call(start)
        handle = hold.worker.runner.submit(call, lambda outcome: hold.worker.post(lambda: self._ended(start, outcome)))
        self._running[start.slot.id] = (start, handle)
        hold.worker.beats.watch(start.slot.id, lambda details: self._beat(start, details))

    def _beat(self, start: StartStep, details: tuple[Any, ...]) -> None:
        """Record what a running step's heartbeats have said, so that an attempt after a crash finds it."""
        hold, execution = self._hold, self._hold.execution
        if hold.is_gone or execution is None or start.slot.id not in self._running:
            return
        try:
            value = hold.env.codec.encode_value(list(details))
        except CodecError:
            _logger.exception("%s: what a heartbeat said cannot be stored", start.slot.id)
            return
        slot = Slot(beat_id(start.slot.id, self._beat_counts.get(start.slot.id, 0)), "step", "heartbeat")
        self._beat_counts[start.slot.id] = self._beat_counts.get(start.slot.id, 0) + 1
        create = execution.local_create(slot, start.slot.timeout_at or execution.record.timeout_at, {})
        hold.writes.add([Write(FenceSettled(hold.id, hold.version, create, "resolved", value))])
        hold.writes.flush()

    def _said_before(self, slot: Slot) -> tuple[Any, ...]:
        """Return what the last heartbeat of an earlier attempt said."""
        execution = self._hold.execution
        records = execution.beats.pop(slot.id, None) if execution is not None else None
        if not records:
            return ()
        self._beat_counts[slot.id] = len(records)
        newest = max(records, key=lambda record: int(record.id.rpartition(".")[2]))
        return tuple(self._hold.env.codec.decode_value(newest.value))

    def _call(self, start: StartStep) -> StepCall:
        hold = self._hold
        opts = start.opts
        mark = start.mark or step_mark(start.function)
        attempt_s, beat_s = opts.attempt_timeout, opts.heartbeat_timeout
        if mark is not None:
            attempt_s = mark.attempt_timeout if attempt_s is None else attempt_s
            beat_s = mark.heartbeat_timeout if beat_s is None else beat_s
        return StepCall(
            id=start.slot.id,
            root_id=hold.logical_id,
            name=start.slot.name or name_of(start.function),
            function=self._traced(start),
            args=start.args,
            kwargs=start.kwargs,
            policy=_policy(opts, start.function, mark),
            attempt_timeout_ms=_ms(attempt_s),
            deadline_ms=start.slot.timeout_at or None,
            heartbeat_timeout_ms=_ms(beat_s),
            context=start.context,
            takes_context=start.context is not None,
            non_retryable=opts.non_retryable_exceptions,
            heartbeat_details=self._said_before(start.slot),
        )

    def _traced(self, start: StartStep) -> Any:
        telemetry, execution = self._hold.worker.telemetry, self._hold.execution
        if telemetry is None or execution is None:
            return start.function
        return telemetry.traced(
            start.function,
            name=start.slot.name,
            step_id=start.slot.id,
            execution_id=self._hold.id,
            root_id=execution.origin,
        )

    def stop(self, slot: Slot) -> None:
        """Cancel a step that the execution no longer wants, and record that, so that it does not run on replay."""
        running = self._running.pop(slot.id, None)
        hold = self._hold
        reason = slot.stop_reason or "cancelled"
        if hold.execution is not None:
            execution = hold.execution
            execution.steps_running -= 1
            execution.answers_open += 1
            create = execution.local_create(slot, slot.timeout_at, {})
            value = hold.env.codec.encode_error(Cancelled(reason))
            request = FenceSettled(hold.id, hold.version, create, "rejected_canceled", value)
            hold.writes.add([Write(request, lambda answer: execution.stopped(slot, answer))])
        if running is not None:
            self._count -= 1
            running[1].cancel(reason, abandon=True)

    def abandon_all(self) -> None:
        """Stop everything; whatever comes of it is dropped."""
        running, self._running = self._running, {}
        self._count = 0
        for _, handle in running.values():
            handle.cancel("the task is held elsewhere", abandon=True)

    # -- outcomes ------------------------------------------------------------------------------------------------

    def _ended(self, start: StartStep, outcome: StepOutcome) -> None:
        slot, hold = start.slot, self._hold
        hold.worker.beats.forget(slot.id)
        if hold.is_gone or self._running.pop(slot.id, None) is None:
            return
        self._count -= 1
        if outcome.retry_state == "interrupted":
            hold.give_back(pause=False)
            return
        slot.attempts, slot.retry_state = outcome.attempts, outcome.retry_state
        execution = hold.execution
        if execution is None:
            return
        if start.create is None:
            execution.steps_running -= 1
            execution.body_ended(Outcome(value=outcome.value, error=outcome.error))
            hold.worker.touch(hold)
            return
        if not start.opts.durable:
            self._give(start, outcome.value, outcome.error)
            return
        state, value, error = self._encoded(outcome)
        request = FenceSettled(hold.id, hold.version, start.create, state, value)
        hold.writes.add([Write(request, lambda response: self._recorded(start, value, outcome.value, error, response))])
        hold.writes.flush()

    def _encoded(self, outcome: StepOutcome) -> tuple[Any, Value, BaseException | None]:
        codec = self._hold.env.codec
        error: BaseException | None = outcome.error
        if error is None:
            try:
                return "resolved", codec.encode_value(outcome.value), None
            except CodecError as problem:
                error = problem
        value = codec.encode_error(error)
        headers = {
            **(value.headers or {}),
            ATTEMPTS_HEADER: str(outcome.attempts),
            RETRY_STATE_HEADER: outcome.retry_state,
        }
        return "rejected", msgspec.structs.replace(value, headers=headers), error

    def _recorded(
        self, start: StartStep, written: Value, value: Any, error: BaseException | None, response: Response
    ) -> None:
        """The outcome is durable: hand over what a replay would read."""
        record = response.promise
        if record is None:
            self._give(start, None, CodecError(f"step {start.slot.name!r} was refused by the store: {response.error}"))
            return
        is_ours = error is None and record.state == "resolved" and record.value == written
        if is_ours and self._hold.env.codec.reads_same(value, start.slot.hint):
            self._give(start, isolated(value), None, record)
            return
        read, failure = self._hold.env.decode(start.slot, record)
        if failure is not None and error is not None and type(failure) is type(error) and record.value == written:
            failure = error  # the same, with its traceback
        self._give(start, read, failure, record)

    def _give(
        self, start: StartStep, value: Any, error: BaseException | None, record: PromiseRecord | None = None
    ) -> None:
        execution = self._hold.execution
        if execution is None or start.slot.is_settled:
            return
        if start.slot.stop_reason is None:  # else it does not count any more
            execution.steps_running -= 1
        at = execution.now_ms if record is None else (record.settled_at or record.timeout_at)
        start.slot.settle(value, execution.wrapped(start.slot, error), at)
        execution.slot_settled(start.slot)
        self._hold.worker.touch(self._hold)


def _policy(opts: CallOptions, function: Any, mark: StepMark | None) -> Any:
    if opts.has_retry_policy:
        return opts.retry_policy
    if mark is not None:
        return mark.retry_policy
    # A durable body that never yields runs as a step, but its failure is its result, as of any other durable function.
    owner = getattr(function, "__self__", None)
    is_durable = durable_mark(function) is not None or durable_mark(type(owner)) is not None
    return None if is_durable else _UNMARKED_POLICY


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))
