"""One execution: its branches, its events, its history. See the package's docstring for the theory."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from resonate_core.context import Context
from resonate_core.errors import Cancelled, CodecError, ContinueAsNew, NondeterminismError, UsageError
from resonate_core.ids import BEAT, order_id, run_id
from resonate_core.options import CallOptions
from resonate_core.protocol.records import TAG_BRANCH, TAG_ORIGIN, TAG_PARENT, TAG_SCOPE, TAG_TIMER, PromiseRecord
from resonate_core.protocol.requests import FenceSettled, PromiseCreate, TaskFence
from resonate_core.registry import takes_context
from resonate_core.scheduler import handlers, interpret
from resonate_core.scheduler.branch import Branch
from resonate_core.scheduler.effects import Effects, Outcome, StartStep, Write
from resonate_core.scheduler.inbox import Inbox, Message
from resonate_core.scheduler.order import GLUED, INBOX_KEY, OrderLog
from resonate_core.scheduler.promises import Slot
from resonate_core.scheduler.sources import Sources
from resonate_core.scheduler.waits import Action, Wait, WaitDrain, is_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.protocol.records import SettledState
    from resonate_core.protocol.requests import Response
    from resonate_core.registry import Registered
    from resonate_core.scheduler.environment import Environment


logger = logging.getLogger("resonate_core")


def settled_state(error: BaseException | None) -> SettledState:
    """Return the state in which a promise is settled whose work ended like this."""
    if error is None:
        return "resolved"
    return "rejected_canceled" if isinstance(error, Cancelled) else "rejected"


class Execution:
    """The state of one execution between two looks of the worker.

    Args:
        env: codec, registry and other fixed surroundings.
        record: the execution's own promise.
        function: what is registered under its name and version.
        version: of the held task, the fencing token.
        run: number of continue-as-new so far; ``arguments`` are those of this run.
    """

    def __init__(
        self,
        env: Environment,
        record: PromiseRecord,
        function: Registered,
        arguments: tuple[tuple[Any, ...], dict[str, Any]],
        *,
        version: int,
        logical_id: str,
        run: int = 0,
        first_slot: int = 0,
        event_counts: dict[str, int] | None = None,
        opts: CallOptions | None = None,
    ) -> None:
        self.env = env
        self.id = record.id
        self.logical_id = logical_id
        self.base = run_id(record.id, run)
        self.run = run
        self.record = record
        self.origin = record.tags.get(TAG_ORIGIN, record.id)
        self.function = function
        self.arguments = arguments
        self.version = version
        self.now_ms = record.created_at
        self.effects = Effects()
        self.slots: dict[str, Slot] = {}
        self._renamed: dict[str, Slot] = {}
        self.history: dict[str, PromiseRecord] = {}
        self.order = OrderLog()
        self.inbox = Inbox(self._is_event, first_slot=first_slot)
        self.event_counts = event_counts or {}
        self.instance: Any = None
        self.main: Branch | None = None
        self.outcome: Outcome | None = None
        self.opts = opts or CallOptions()
        self.travelled: dict[str, Any] = {}
        self.closing = False
        self.may_reopen = False
        self.catching_up = version > 1
        self.drained_to = first_slot
        self.has_acted = False
        self.event_is_replayed = version > 1
        self.beats: dict[str, list[PromiseRecord]] = {}
        self.open_records: dict[str, PromiseRecord] = {}
        self.steps_running = 0
        self.answers_open = 0
        self.choices_open = 0
        self._attached: dict[str, Slot] = {}
        self.handlers_running = 0
        self._branches: list[Branch] = []
        self._closing_outcome = Outcome()
        self._ready: deque[tuple[Branch, Action]] = deque()
        self._sources = Sources(self.slots, self.inbox)

    # -- history -------------------------------------------------------------------------------------------------

    def load(self, records: list[PromiseRecord]) -> None:
        """Take in what earlier attempts recorded (the preload of the acquired task)."""
        prefix = order_id(self.base, 0)[:-1]
        self.catching_up = self.catching_up or bool(records)
        for record in records:
            if record.state == "pending":
                self.open_records[record.id] = record
            elif BEAT in record.id:
                self.beats.setdefault(record.id.partition(BEAT)[0], []).append(record)
            elif record.id.startswith(prefix):
                self.order.load(int(record.id[len(prefix) :]), self.env.codec.decode_value(record.value))
            else:
                self.history[record.id] = record

    def take_record(self, id: str) -> PromiseRecord | None:
        """Remove and return what an earlier attempt recorded under an id."""
        record = self.history.pop(id, None)
        self.has_acted = self.has_acted or record is not None
        return record

    @property
    def is_replaying(self) -> bool:
        """Whether the function is still going over what it did before."""
        return bool(self.history) or not self.order.is_past_record

    # -- beginning and advancing ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the function; nothing has been delivered yet."""
        context = Context(self, self.base, shown_id=self.logical_id)
        args, kwargs = self.arguments
        try:
            self.env.check_arguments(self.function, args, kwargs)
            self.instance, made = handlers.make_main(self.function, context, args, kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever user code raises is its outcome
            self.finish(Outcome(error=self.env.tame(error)))
            return
        if made is None:
            self._begin_as_step(handlers.leaf_of(self.function, self.instance), context)
            return
        self.main = Branch(made, context, self.function.name)
        self.start_branch(self.main)

    def _begin_as_step(self, leaf: Any, context: Context) -> None:
        """A body that never yields could block everybody: it runs as a step."""
        args, kwargs = self.arguments
        slot = Slot(self.id, "step", self.function.name)
        slot.timeout_at = self.record.timeout_at
        wants_context = self.function.kind == "class" or takes_context(leaf, args, kwargs)
        start = StartStep(slot, leaf, args, kwargs, self.opts, None, context if wants_context else None)
        self.effects.starts.append(start)
        self.steps_running += 1

    def advance(self) -> None:
        """Run until nothing more can happen without news from outside."""
        while not self.has_ended and self._advance_by_one_event():
            pass
        if self.closing and not self.has_ended:
            self._try_close()

    def _advance_by_one_event(self) -> bool:
        self._run_ready()
        if self.has_ended or not self._deliver_next():
            return False
        while self.order.planned == (INBOX_KEY, GLUED) and self.inbox.next_event is not None:
            self._deliver_message(must_record=False)
        return True

    def _run_ready(self) -> None:
        while True:
            while self._ready:
                branch, action = self._ready.popleft()
                self._drive(branch, action)
            if not self._check_predicates():
                return

    def _drive(self, branch: Branch, action: Action | None) -> None:
        """Resume a generator and carry out what it yields, until it waits or ends."""
        generator = branch.generator
        while action is not None:
            verb, payload = action
            try:
                command = generator.send(payload) if verb == "send" else generator.throw(payload)
            except StopIteration as stop:
                self._branch_ended(branch, stop.value, None)
                return
            except BaseException as error:  # noqa: BLE001 - whatever user code raises is its outcome
                self._branch_ended(branch, None, error)
                return
            if branch.must_cancel:
                action = ("throw", self._take_cancel(branch))
                continue
            action = interpret.carry_out(self, branch, command)

    def _take_cancel(self, branch: Branch) -> Cancelled:
        reason, branch.cancel_reason = branch.cancel_reason, None
        return Cancelled(reason or "")

    def _check_predicates(self) -> bool:
        """Wake branches whose condition has come true; return whether any did."""
        woken = False
        for wait in list(self._sources.predicates):
            try:
                is_true = bool(wait.predicate())
            except BaseException as error:  # noqa: BLE001 - the predicate is user code
                self.wake(wait, ("throw", error))
                woken = True
                continue
            if is_true:
                self.wake(wait, ("send", None))
                woken = True
        return woken

    # -- waits ---------------------------------------------------------------------------------------------------

    def block(self, wait: Wait) -> None:
        """Register what a branch waits for."""
        wait.branch.wait = wait
        self._sources.add(wait)

    def wake(self, wait: Wait, action: Action) -> None:
        """Take a branch out of its wait; it goes on with this action."""
        self._sources.remove(wait)
        wait.branch.wait = None
        self._ready.append((wait.branch, action))

    def make_available(self, key: str, payload: Any = None) -> None:
        """Say that the event of a source can be delivered."""
        self._sources.make_available(key, payload)

    def slot_settled(self, slot: Slot) -> None:
        """Say that a promise has been settled: those who wait for it may go on."""
        self._attached.pop(slot.id, None)
        self.make_available(slot.id)
        if self.closing:
            self._try_close()

    # -- events --------------------------------------------------------------------------------------------------

    def _deliver_next(self) -> bool:
        """Deliver exactly one event, if one can be; return whether it was."""
        planned = self.order.planned
        if planned is not None:
            return self._deliver_planned(*planned)
        if not self.order.is_past_record:
            return self._deliver_gap()
        if self.catching_up:
            done = self._catch_up()
            if done is not None:
                return done
        if self.inbox.next_event is not None:
            return self._deliver_message(must_record=bool(self._sources) or self.closing)
        for key, payload in self._sources.offers():
            return self._deliver(key, payload, must_record=len(self._sources) > 1)
        return False

    def _deliver_planned(self, key: str, payload: str) -> bool:
        if key == INBOX_KEY:
            return self.inbox.next_event is not None and self._deliver_message(must_record=False)
        if key not in self._sources:
            raise NondeterminismError(
                f"{self.id}: event {self.order.position} was recorded as {key!r}, but the code does not wait for it; "
                "the code has changed in a way that running executions cannot follow: register it as a new version",
                recorded=key,
            )
        found = self._sources.recorded(key, payload)
        return found is not None and self._deliver(key, found[0], must_record=False)

    def _deliver_gap(self) -> bool:
        """No record names the next event although later ones are named: there was only one that could come."""
        if not self._sources:
            return self.inbox.next_event is not None and self._deliver_message(must_record=False)
        if len(self._sources) > 1:
            raise NondeterminismError(
                f"{self.id}: event {self.order.position} was the only one possible when it was recorded, now there are "
                f"{len(self._sources)} ({', '.join(list(self._sources)[:4])}); the code has changed in a way that "
                "running executions cannot follow: register it as a new version"
            )
        for key, payload in self._sources.offers(with_failures=False):  # those are recorded
            return self._deliver(key, payload, must_record=False)
        return False

    def _catch_up(self) -> bool | None:
        """Past the last order record, but perhaps not yet where the last attempt stopped.

        Where one source was all there was, its event came unrecorded; so a message that waits now must not overtake it,
        or the code would do something else than it did. Only where the source has nothing to give is the end reached.
        Returns None there: from now on the execution is live.
        """
        if len(self._sources) == 1:
            for key, payload in self._sources.offers(with_failures=False):
                return self._deliver(key, payload, must_record=False)
            if self.answers_open:
                return False
            for key, payload in self._sources.offers():  # a failure would be recorded if anything had followed from it
                return self._deliver(key, payload, must_record=True)
        elif not self._sources and not self.closing:
            return self.inbox.next_event is not None and self._deliver_message(must_record=False)
        self.catching_up = False
        return None

    def _deliver(self, key: str, payload: Any, *, must_record: bool) -> bool:
        if isinstance(payload, Message):
            self.inbox.take(payload.slot)
        must_record = must_record or is_failure(key, payload)
        if must_record and self.order.breaks_batch:
            self.flush_order()
        self.event_is_replayed = self.catching_up or not self.order.is_past_record
        shown = str(payload.slot) if isinstance(payload, Message) else payload if isinstance(payload, str) else ""
        self.order.advance(key, shown, must_record=must_record)
        self.note_event(must_record=must_record)
        self._sources.take(key)
        slot = self.slots.get(key)
        if slot is not None:
            self.now_ms = max(self.now_ms, slot.settled_at)
        elif isinstance(payload, Message):
            self.now_ms = max(self.now_ms, payload.at_ms)
        for wait in self._sources.of(key):
            action = wait.resolve(key, payload)
            if action is not None:
                self.wake(wait, action)
            elif wait.offer(with_failures=True) is not None:
                self.make_available(key)
        return True

    def _deliver_message(self, *, must_record: bool) -> bool:
        message = self.inbox.take_event()
        if must_record and self.order.breaks_batch:
            self.flush_order()
        self.order.advance(INBOX_KEY, "", must_record=must_record)
        self.note_event(must_record=must_record)
        self.now_ms = max(self.now_ms, message.at_ms)
        handlers.deliver(self, message)
        self._sources.check_drains()
        return True

    def note_event(self, *, must_record: bool) -> None:
        self.effects.is_gate = self.effects.is_gate or must_record
        self.has_acted = False

    # -- messages ------------------------------------------------------------------------------------------------

    def _is_event(self, message: Any) -> bool:
        return not self.function.is_driver and handlers.is_event(self.function, message)

    def message_arrived(self, message: Any) -> None:
        """Take in the message of the next slot."""
        if self.inbox.add(message):
            if self.function.is_driver or not handlers.refuse(self, message):
                self._sources.match_receivers()
            self._sources.check_drains()

    def unread_message(self, message: Message) -> None:
        """Take in a message that the run before this one left unread."""
        self.inbox.put_back(message)
        self._sources.match_receivers()

    @property
    def unread_count(self) -> int:
        """Messages that the function should have seen before it ended."""
        return self.inbox.kept_count if self.function.is_driver else self.inbox.event_count

    def drain_bound(self, wait: WaitDrain, bound: int) -> None:
        """Say up to which slot a drain has to wait for handlers."""
        wait.bound = bound
        self._sources.check_drains()

    # -- branches ------------------------------------------------------------------------------------------------

    def start_branch(self, branch: Branch) -> None:
        """Let a new branch run at the next turn."""
        if branch.is_handler:
            self.handlers_running += 1
        self._branches.append(branch)
        self._ready.append((branch, ("send", None)))

    def attach(self, slot: Slot) -> None:
        """Remember a child that the execution waits for before it ends."""
        if slot.close != "abandon" and not slot.is_settled:
            self._attached[slot.id] = slot

    def _branch_ended(self, branch: Branch, value: Any, error: BaseException | None) -> None:
        self._branches.remove(branch)
        if isinstance(error, ContinueAsNew):
            self._close_with(Outcome(new_args=(error.new_args, error.new_kwargs)))
            return
        if error is not None and not isinstance(error, Cancelled):
            error = self.env.tame(error)
        if branch is self.main:
            self._close_with(Outcome(value=value, error=error))
            return
        if branch.is_handler:
            self.handlers_running -= 1
            handlers.ended(self, branch, value, error)
            if self.closing:
                self._try_close()
            return
        self._child_ended(branch, value, error)

    def _child_ended(self, branch: Branch, value: Any, error: BaseException | None) -> None:
        slot = branch.slot
        if slot is None:
            raise AssertionError("a branch that is neither main nor handler belongs to a promise")
        known = self.take_record(slot.id)
        if known is None:
            error = self._record_child(slot, value, error)
        slot.settle(None if error is not None else value, self.wrapped(slot, error), self.now_ms)
        self.slot_settled(slot)

    def _record_child(self, slot: Slot, value: Any, error: BaseException | None) -> BaseException | None:
        codec = self.env.codec
        try:
            encoded = codec.encode_value(value) if error is None else codec.encode_error(error)
        except CodecError as problem:
            error, encoded = problem, codec.encode_error(problem)
        state = settled_state(error)
        create = self.local_create(slot, slot.timeout_at, {})
        self.write(Write(FenceSettled(self.id, self.version, create, state, encoded)))
        return error

    def wrapped(self, slot: Slot, error: BaseException | None) -> BaseException | None:
        """Put an error into the wrapper that the call asked for."""
        return error if error is None or not slot.wrap else self.env.wrap(slot, error)

    # -- ending --------------------------------------------------------------------------------------------------

    def _close_with(self, outcome: Outcome) -> None:
        """The function has ended; wait for what it began and did not abandon."""
        self._closing_outcome = outcome
        self.closing = True
        for slot in list(self._attached.values()):
            if slot.close in ("cancel", "terminate") or isinstance(outcome.error, Cancelled):
                interpret.cancel_slot(self, slot, "the parent has ended", terminate=slot.close == "terminate")
        self._try_close()

    def _try_close(self) -> None:
        if not self.order.is_past_record or self.outcome is not None:
            return  # messages came before the end was written
        waiting = [slot for slot in self._attached.values() if slot.kind not in ("timer", "latent")]
        if self.choices_open:
            return  # children that were begun but are not made yet
        if not waiting and not self.handlers_running:
            self.finish(self._closing_outcome)
            self.may_reopen = True

    def attached_slots(self) -> list[Slot]:
        """Return children that a function which has ended still waits for."""
        return list(self._attached.values()) if self.closing else []

    @property
    def has_ended(self) -> bool:
        """Whether it is known how the execution ends."""
        return self.outcome is not None

    def finish(self, outcome: Outcome) -> None:
        """Set how the execution ends; the worker settles it, whatever messages are still to come."""
        self.outcome = outcome
        self.may_reopen = False

    def body_ended(self, outcome: Outcome) -> None:
        """Say how a body ended that ran as a step."""
        self._close_with(outcome)

    def reopen(self) -> None:
        """Take the end back: a message came in before it could be settled, and its handler shall run."""
        self.outcome = None

    def glue_record(self, count: int) -> Write:
        """Record that messages came together with the last event, before the function went on from it.

        Without this the function would have ended without looking at what the messages changed. It is exact as long as
        the function has done nothing since that event that others can see (``has_acted`` is False).
        """
        create = PromiseCreate(order_id(self.base, self.order.position), self.record.timeout_at, tags=self._own_tags())
        entries = [self.order.entry(INBOX_KEY, GLUED)] * count
        return Write(FenceSettled(self.id, self.version, create, "resolved", self.env.codec.encode_value(entries)))

    # -- what the worker needs -----------------------------------------------------------------------------------

    def flush_order(self) -> None:
        pending = self.order.take_pending()
        if pending is None:
            return
        first, entries = pending
        create = PromiseCreate(order_id(self.base, first), self.record.timeout_at, tags=self._own_tags())
        write = Write(FenceSettled(self.id, self.version, create, "resolved", self.env.codec.encode_value(entries)))
        self.effects.writes.append(write)

    def write(self, write: Write) -> None:
        """Ask for a write; the order of the events that it follows from stands before it."""
        self.flush_order()
        self.effects.writes.append(write)
        self.has_acted = True

    def take_effects(self) -> Effects:
        """Hand over what is to be done, order records included."""
        self.flush_order()
        effects, self.effects = self.effects, Effects()
        self.has_acted = self.has_acted or bool(effects.starts or effects.asks or effects.stops)
        return effects

    def awaited(self) -> list[Slot]:
        """Return unsettled promises that only somebody else can settle and that matter to a branch."""
        found: dict[str, Slot] = {slot.id: slot for slot in self.attached_slots()}
        for wait in self._sources.all_waits():
            found.update((slot.id, slot) for slot in wait.slots())
        return [slot for slot in found.values() if slot.watched and slot.promise_id and not slot.is_settled]

    @property
    def is_idle(self) -> bool:
        """Whether nothing goes on here: only others, or messages, can bring the execution further."""
        return not (self.steps_running or self.answers_open or self._ready or self.outcome)

    def close_generators(self) -> None:
        """Let go of what stands in memory: an execution that leaves this process goes on elsewhere."""
        for branch in self._branches:
            try:
                branch.generator.close()
            except BaseException:
                logger.debug("%s: the generator objected to being closed", self.id, exc_info=True)
        self._branches.clear()

    def branch_of(self, context: Context) -> Branch:
        """Return the branch that a context was given to.

        Raises:
            UsageError: the context belongs to a step, which is not cancelled at yields.
        """
        for branch in self._branches:
            if branch.context is context:
                return branch
        raise UsageError("shielded() works in a durable function or handler, not in a step")

    def rename(self, slot: Slot, promise_id: str) -> None:
        """Say which promise stands behind a slot that is not known by its own id."""
        slot.promise_id = promise_id
        self._renamed[promise_id] = slot

    def slot_of(self, promise_id: str) -> Slot | None:
        """Return the slot behind which a promise stands."""
        slot = self.slots.get(promise_id)
        return slot if slot is not None and slot.promise_id == promise_id else self._renamed.get(promise_id)

    def _own_tags(self) -> dict[str, str]:
        return {TAG_ORIGIN: self.origin, TAG_BRANCH: self.base, TAG_PARENT: self.base, TAG_SCOPE: "local"}

    def local_create(self, slot: Slot, timeout_at: int, tags: dict[str, str]) -> PromiseCreate:
        """Build the create request of a local child."""
        own = {TAG_ORIGIN: self.origin, TAG_BRANCH: self.base, TAG_PARENT: self.parent_of(slot.id), TAG_SCOPE: "local"}
        if tags:
            own.update(tags)
        return PromiseCreate(slot.id, timeout_at, self.env.name_param(slot.name), own)

    def parent_of(self, child: str) -> str:
        """Return the id of the parent by position."""
        head = child.rpartition(".")[0]
        return head if head.startswith(self.base) else self.base

    def fence(self, create: PromiseCreate, then: Callable[[Response], None]) -> None:
        """Ask for the creation of a promise, urgently."""
        self.write(Write(TaskFence(self.id, self.version, create), then))
        self.effects.is_urgent = True
        self.answers_open += 1

    def settle_slot(self, slot: Slot, record: PromiseRecord) -> None:
        """Take the outcome of a promise from its record."""
        if slot.is_settled or record.state == "pending":
            return
        value, error = self.env.decode(slot, record)
        slot.settle(value, self.wrapped(slot, error), _settled_at(record))
        self.slot_settled(slot)

    def stopped(self, slot: Slot, answer: Response) -> None:
        """Take the outcome of a promise that was cancelled here."""
        self.answers_open -= 1
        if answer.promise is not None:
            self.settle_slot(slot, answer.promise)


def _settled_at(record: PromiseRecord) -> int:
    """Return the time to which a settled promise moves the execution; one that was cancelled moves it to none.

    The execution itself may have cancelled it, and went on before the store wrote down a time.
    """
    settled_at = record.settled_at or record.timeout_at
    is_stopped_timer = record.tags.get(TAG_TIMER) == "true" and settled_at < record.timeout_at
    return 0 if record.state == "rejected_canceled" or is_stopped_timer else settled_at
