"""A hold: one acquired task and what this process does for it.

Theory
======

The hold feeds its execution with news and carries out what it asks for. Three rules make that safe:

* One submission at a time. What piles up meanwhile goes out with the next one, in the order in which it was asked
  for, so a record is never durable before one that it depends on, and a burst costs one commit.
* What others can see waits for what it follows from. Steps start, and messages leave, only when everything before them
  has been written: immediately if nothing is under way, which is the common case.
* A refused write ends the hold. Somebody else holds the task, or the promise was settled from outside; whatever
  this process still does for it (steps) is told to stop, and its results are dropped.

A hold whose execution only waits for others keeps the task for a moment (most answers come at once), then suspends. A
suspended one keeps its generator for a while in case the task comes back to this process.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from resonate_core.errors import CodecError, NondeterminismError, NotRegisteredError, StepTimeoutError
from resonate_core.ids import inbox_id, logical_id
from resonate_core.limits import LINGER_MS, LINGER_WIDE_MS, WATCH_AFTER_MS, WIDE_COUNT, WRITE_RETRY_MS
from resonate_core.protocol.requests import (
    FulfillIfRead,
    PromiseGet,
    PromiseRegisterCallback,
    PromiseSettle,
    TaskFulfill,
    TaskRelease,
    TaskSuspend,
)
from resonate_core.scheduler.effects import StartStep, Write
from resonate_core.scheduler.execution import settled_state
from resonate_core.worker.asks import answer
from resonate_core.worker.hold_inbox import InboxFeed
from resonate_core.worker.hold_runs import Runs, options_of
from resonate_core.worker.hold_steps import Steps
from resonate_core.worker.hold_writes import Writes

if TYPE_CHECKING:
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Response
    from resonate_core.scheduler.effects import Ask, Effects, Outcome
    from resonate_core.scheduler.execution import Execution
    from resonate_core.scheduler.promises import Slot
    from resonate_core.worker.worker import Timer, Worker

_logger = logging.getLogger("resonate_core")


class Hold:
    """One held task. All methods run on the worker's thread."""

    def __init__(self, worker: Worker, record: PromiseRecord, version: int) -> None:
        self.worker = worker
        self.env = worker.env
        self.id = record.id
        self.record = record
        self.version = version
        self.function_name = ""
        self.execution: Execution | None = None
        self.is_leased = True
        self.is_gone = False
        self.writes = Writes(self)
        self.steps = Steps(self)
        self.feed = InboxFeed(self)
        self.runs = Runs(self)
        self._watched: set[str] = set()
        self._deferred: deque[StartStep | Ask] = deque()
        self.enqueuing: deque[Ask] = deque()
        self._idle_timer: Timer | None = None
        self._watch_timer: Timer | None = None
        self._is_ending = False
        self._is_suspending = False

    # -- beginning -----------------------------------------------------------------------------------------------

    def begin(self, version: int, preload: list[PromiseRecord]) -> None:
        """Go on at a new version of the task: with the generator in memory, or from the records."""
        self.version = version
        self.is_leased = True
        self._watch_timer = self.worker.after(WATCH_AFTER_MS, self._watch_always)
        if self.execution is None:
            self._build(preload)
        else:
            self.execution.version = version
            for record in preload:
                self._settled(record)
            self.feed.load(preload)
        self.worker.touch(self)

    def _build(self, preload: list[PromiseRecord]) -> None:
        try:
            invocation = self.env.codec.decode_invocation(self.record.param)
            self.function_name = invocation.func
            function = self.env.registry.get(invocation.func, invocation.version)
        except NotRegisteredError as error:
            self._not_registered(error, has_history=bool(preload))
            return
        except CodecError as error:
            self._end_at_once(error)
            return
        try:
            args, kwargs = self.env.codec.decode_arguments(invocation, function.callable, skip=function.lead)
            opts = options_of(function, invocation.extra)
        except Exception as error:  # noqa: BLE001 - arguments are foreign data: whatever is wrong is the outcome
            self._end_at_once(error)
            return
        late = self._started_too_late(invocation.extra, has_history=bool(preload))
        if late is not None:
            self._end_at_once(late)
            return
        self.runs.build(function, (args, kwargs), opts, preload, invocation.extra)

    def _started_too_late(self, extra: dict[str, Any], *, has_history: bool) -> StepTimeoutError | None:
        """Return the error of a call that found no worker in the time that its caller gave it."""
        limit = extra.get("scheduleToStartTimeout")
        if limit is None or has_history or self.version > 1:
            return None
        waited = (self.worker.clock.now_ms() - self.record.created_at) / 1000
        if waited <= limit:
            return None
        text = f"{self.function_name} ({self.id}) waited {waited:.1f} s for a worker, {limit:g} s were allowed"
        return StepTimeoutError(text, kind="schedule_to_start")

    def execution_ready(self, execution: Execution, preload: list[PromiseRecord]) -> None:
        """Start an execution over its records."""
        self.execution = execution
        execution.load(self.feed.take_out(preload))
        self.feed.attach(execution)
        execution.begin()
        self.worker.touch(self)

    def _not_registered(self, error: NotRegisteredError, *, has_history: bool) -> None:
        """Another worker may know the function. Nobody does after a while: then nothing was lost by failing."""
        now = self.worker.clock.now_ms()
        first = self.worker.first_refused_ms.setdefault(self.id, now)
        if not has_history and now - first >= self.worker.unregistered_grace_ms:
            self._end_at_once(error)
            return
        _logger.error("%s: %s", self.id, error)
        self.give_back(pause=True)

    def _end_at_once(self, error: BaseException) -> None:
        settle = PromiseSettle(self.id, "rejected", self.env.codec.encode_error(error))
        self._is_ending = True
        self.writes.add([Write(TaskFulfill(self.id, self.version, settle), lambda _: self.ended())])
        self.writes.flush()

    # -- looking -------------------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a step runs or a write is under way."""
        return bool(self.steps.count or self.writes.is_under_way)

    def look(self) -> None:
        """Advance the execution with what has come in, and carry out what it asks for."""
        execution = self.execution
        if self.is_gone or self._is_ending or self._is_suspending or execution is None:
            return
        try:
            execution.advance()
        except NondeterminismError as error:
            self._mismatch(error)
            return
        self._carry_out(execution.take_effects())
        self._end_or_wait(execution)

    def _end_or_wait(self, execution: Execution) -> None:
        if self.is_gone:
            return
        if execution.outcome is not None:
            self._end(execution, execution.outcome)
            return
        self._watch_awaited(execution)
        if execution.is_idle and not self.writes.is_under_way and not self._deferred:
            self._idle(execution)
        elif self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _carry_out(self, effects: Effects) -> None:
        self.writes.add(effects.writes)
        for slot in effects.stops:
            self.steps.stop(slot)
        self._deferred.extend(effects.starts)
        self._deferred.extend(effects.asks)
        if effects.is_urgent or effects.is_gate or effects.asks:
            self.writes.flush()
        if not (effects.is_gate or self.writes.is_under_way):
            self.run_deferred()

    def run_deferred(self) -> None:
        """Start what had to wait until everything before it was written."""
        while self._deferred and not self.is_gone:
            item = self._deferred[0]
            if self.writes.is_under_way or (self.writes.has_waiting and not isinstance(item, StartStep)):
                self.writes.flush()
                return
            self._deferred.popleft()
            if isinstance(item, StartStep):
                self.steps.start(item)
            else:
                answer(self, item)

    def _mismatch(self, error: NondeterminismError) -> None:
        """The code does not fit the records: user code must not see it, least of all its clean-up."""
        if self.worker.fails_on_mismatch:
            self._end_at_once(error)
            return
        _logger.error("%s (%s) waits for code that fits its records: %s", self.id, self.function_name, error)
        self.give_back(pause=True)

    # -- news ----------------------------------------------------------------------------------------------------

    def _settled(self, record: PromiseRecord) -> None:
        """A promise that the execution knows has been settled."""
        execution = self.execution
        if execution is None or self.is_gone:
            return
        self._watched.discard(record.id)
        slot = execution.slot_of(record.id)
        if slot is not None and slot.watched:
            execution.settle_slot(slot, record)
            self.worker.touch(self)

    def watch(self, promise_id: str) -> None:
        """Ask to be told when a promise settles."""
        if promise_id not in self._watched:
            self._watched.add(promise_id)
            self.worker.network.watch(promise_id, self._on_settled)

    def _on_settled(self, record: PromiseRecord) -> None:
        self.worker.post(lambda: self._route(record))

    def _route(self, record: PromiseRecord) -> None:
        if self.is_gone or not self.is_leased:
            return
        if record.id == self.id:
            if not self._is_ending:
                self.lost("its promise was settled from outside")
            return
        if self._is_suspending:
            self._watched.discard(record.id)  # the server knows too: it refuses the suspension or resumes the task
            return
        if self.feed.takes(record):
            self._watched.discard(record.id)
            self.feed.arrived(record)
            self.worker.touch(self)
            return
        self._settled(record)

    def _watch_awaited(self, execution: Execution) -> None:
        for slot in execution.awaited():
            self.watch(slot.promise_id)
        if execution.function.has_handlers or execution.is_idle:
            self.feed.watch()

    def _watch_always(self) -> None:
        """One that takes longer is told of messages, and of its own end from outside, also while steps run."""
        if not self.is_gone and self.is_leased and self.execution is not None:
            self.watch(self.id)
            self.feed.watch()

    def _unwatch_all(self) -> None:
        for promise_id in self._watched:
            self.worker.network.unwatch(promise_id, self._on_settled)
        self._watched.clear()

    # -- suspending ----------------------------------------------------------------------------------------------

    def _idle(self, execution: Execution) -> None:
        if self._idle_timer is not None:
            return
        linger = LINGER_WIDE_MS if len(self._watched) > WIDE_COUNT else LINGER_MS
        self._idle_timer = self.worker.after(linger, lambda: self._suspend(execution))

    def _suspend(self, execution: Execution) -> None:
        self._idle_timer = None
        if self.is_gone or not execution.is_idle or self.writes.is_under_way or self._deferred:
            return
        if self.id in self.worker._touched:  # noqa: SLF001 - news of this very turn would not be awaited any more
            return
        slot = self.feed.open_slot()
        awaited = [*(slot.promise_id for slot in execution.awaited()), slot.id]
        self._is_suspending = True
        actions = [PromiseRegisterCallback(promise_id, self.id) for promise_id in awaited]
        self.writes.add([Write(slot), Write(TaskSuspend(self.id, self.version, actions), self._suspended)])
        self.writes.flush()

    def _suspended(self, response: Response) -> None:
        self._is_suspending = False
        if response.status == 300:
            execution = self.execution
            if execution is not None:
                self._fetch(list(execution.awaited()))
            return
        if response.is_ok:
            self.is_leased = False
            self._unwatch_all()
            self.worker.dropped(self, keep=True)

    def _fetch(self, slots: list[Slot]) -> None:
        """Look at what is awaited: something of it has been settled."""
        requests = [PromiseGet(slot.promise_id) for slot in slots]

        def found(responses: list[Response]) -> None:
            if any(response.status == 0 for response in responses):
                self.worker.after(WRITE_RETRY_MS, lambda: self._fetch(slots))
                return
            for response in responses:
                if response.promise is not None and response.promise.state != "pending":
                    self._settled(response.promise)
            self.worker.touch(self)

        self.feed.read(lambda: self.worker.touch(self))
        if requests:
            self.worker.submit(list(requests), found)

    # -- ending --------------------------------------------------------------------------------------------------

    def _end(self, execution: Execution, outcome: Outcome) -> None:
        if self.writes.is_under_way:
            return  # the answer brings us back
        if outcome.new_args is not None:
            self._is_ending = True
            self.runs.continue_with(execution, outcome.new_args)
            return
        value, error = self._encoded(outcome)
        settle = PromiseSettle(self.id, settled_state(error), value)
        asks_for_messages = execution.function.has_handlers and execution.may_reopen
        if asks_for_messages and execution.unread_count and not (execution.function.is_driver and execution.has_acted):
            self._reopen()  # they came with the last news; a driver that has ended takes none
            return
        self._is_ending = True
        if asks_for_messages:
            request: Any = FulfillIfRead(self.id, self.version, settle, execution.inbox.next_slot)
        else:
            request = TaskFulfill(self.id, self.version, settle)
        self.writes.add([Write(request, lambda response: self._fulfilled(response, error))])
        self.writes.flush()

    def _encoded(self, outcome: Outcome) -> tuple[Any, BaseException | None]:
        codec = self.env.codec
        if outcome.error is None:
            try:
                return codec.encode_value(outcome.value), None
            except CodecError as problem:
                return codec.encode_error(problem), problem
        return codec.encode_error(outcome.error), outcome.error

    def _fulfilled(self, response: Response, error: BaseException | None) -> None:
        if response.status != 300:
            telemetry, execution = self.worker.telemetry, self.execution
            if telemetry is not None and execution is not None:
                telemetry.ended(self.record, name=self.function_name, root_id=execution.origin, error=error)
            self.ended()
            return
        self._is_ending = False
        self.feed.read(self._reopen)

    def _reopen(self) -> None:
        """Messages came before the end was written: the function shall see what they change."""
        execution = self.execution
        if execution is None or self.is_gone:
            return
        count = execution.unread_count
        if execution.has_acted or not count or execution.main is None:
            execution.reopen()
            self.worker.touch(self)
            return
        self._is_ending = True
        self.writes.add([execution.glue_record(count), Write(PromiseGet(self.id), lambda _: self._rebuild())])
        self.writes.flush()

    def _rebuild(self) -> None:
        self._is_ending = False
        self.runs.reload()

    def ending_over(self) -> None:
        """Go on after a run has been replaced."""
        self._is_ending = False

    def ended(self) -> None:
        self._leave()
        self.worker.forget_refusals(self.id)
        self.worker.dropped(self, keep=False)

    def give_back(self, *, pause: bool) -> None:
        """Release the task, so that another worker, or this one with other code, goes on with it."""
        if self.is_gone or not self.is_leased:
            return
        self._leave()
        if pause:
            self.worker.release_later(self)
            return
        self.worker.submit([TaskRelease(self.id, self.version)], lambda _: self.worker.dropped(self, keep=False))

    def lost(self, why: str) -> None:
        """Somebody else decides now: stop what runs and forget the rest."""
        if self.is_gone:
            return
        _logger.info("%s: the task is no longer held here (%s)", self.id, why)
        self._leave()
        self.worker.dropped(self, keep=False)

    def _leave(self) -> None:
        self.is_gone = True
        self.steps.abandon_all()
        self._unwatch_all()
        for timer in (self._idle_timer, self._watch_timer):
            if timer is not None:
                timer.cancel()
        self.discard()

    def discard(self) -> None:
        """Let go of the generators. Their ``finally`` blocks see GeneratorExit; what they do wrong stays there."""
        if self.execution is not None:
            self.execution.close_generators()

    @property
    def logical_id(self) -> str:
        """Id that the caller chose."""
        return logical_id(self.id)

    def inbox_slot(self, number: int) -> str:
        """Return the id of a slot of this execution's inbox."""
        return inbox_id(self.id, number)
