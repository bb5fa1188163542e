"""A world for one execution: a store of records, steps that end when a test says so, and a journal of crashes.

It keeps the worker's three rules and nothing else of it: writes are durable in the order in which they were asked for;
steps start, and asks leave, after the writes that the execution calls a gate; whatever else is written may wait.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from resonate_core.codec import Codec
from resonate_core.errors import CanceledError, Cancelled
from resonate_core.ids import inbox_id
from resonate_core.protocol.records import TAG_BRANCH, TAG_ORIGIN, TAG_TIMER, PromiseRecord
from resonate_core.protocol.requests import FenceSettled, PromiseCreate, PromiseSettle, Response, TaskFence
from resonate_core.registry import Registry, describe
from resonate_core.scheduler.effects import Write
from resonate_core.scheduler.environment import Environment
from resonate_core.scheduler.execution import Execution
from resonate_core.scheduler.inbox import Message

if TYPE_CHECKING:
    from resonate_core.protocol.requests import Request
    from resonate_core.scheduler.effects import Ask, StartStep

FOREVER = 10**15
CODEC = Codec()


@dataclass(frozen=True)
class Moment:
    """A point at which the process could have died: what was durable, and what had been seen by then."""

    records: dict[str, PromiseRecord]
    seen: int


class Stamped(list[Any]):
    """A list that notes how far the trace had come at each append."""

    def __init__(self, trace: list[Any]) -> None:
        super().__init__()
        self._trace = trace
        self.seen: list[int] = []

    def append(self, item: Any) -> None:
        super().append(item)
        create = getattr(getattr(item, "request", None), "action", None)
        shows_nothing = create is not None and create.id.startswith("w.order.")  # what follows from it does
        self.seen.append(0 if shows_nothing else len(self._trace))


@dataclass
class World:
    """The store, and the one execution ``w`` in it.

    Attributes:
        records: what is durable.
        moments: one after each durable write.
        trace: what the function under test notes; its length says how far it had come.
    """

    function: Any
    args: tuple[Any, ...] = ()
    records: dict[str, PromiseRecord] = field(default_factory=dict)
    now: int = 1_000
    version: int = 1
    trace: list[Any] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    steps: dict[str, StartStep] = field(default_factory=dict)
    asks: list[Ask] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    is_eager: bool = True

    def __post_init__(self) -> None:
        self.registry = Registry()
        self.env = Environment(
            CODEC, self.registry, now_ms=lambda: self.now, address=lambda group: f"poll://any@{group}"
        )
        self.record = PromiseRecord("w", "pending", FOREVER, 1_000, tags={TAG_ORIGIN: "w", TAG_BRANCH: "w"})
        self.waiting: list[tuple[Write, int]] = []
        self._deferred: list[Any] = []
        self._seen_by_start: dict[str, int] = {}
        registered = describe(self.function)
        self.registry.add(registered)
        self.ex = Execution(self.env, self.record, registered, (self.args, {}), version=self.version, logical_id="w")
        mine = [r for r in self.records.values() if r.tags.get(TAG_BRANCH) == "w"]
        self.ex.load([r for r in mine if not (r.id.startswith("w.inbox.") and r.id[8:].isdigit())])
        self._stamp()
        self.ex.begin()
        self.notice()
        self.look()

    # -- what the worker does --------------------------------------------------------------------------------------

    def look(self) -> World:
        """Let the execution go on until it has nothing more to ask for."""
        while True:
            self.ex.advance()
            written, starts = self.ex.effects.writes, self.ex.effects.starts
            effects = self.ex.take_effects()
            self._stamp()
            self.waiting += zip(written, written.seen, strict=True)
            self._seen_by_start |= {start.slot.id: seen for start, seen in zip(starts, starts.seen, strict=True)}
            for slot in effects.stops:
                self._stop(slot)
            self._deferred += [*effects.starts, *effects.asks]
            if effects.is_urgent or effects.is_gate or effects.asks or self.is_eager:
                self.flush()
            ready, self._deferred = self._deferred, []
            for item in ready:
                self._begin(item)
            if not (self.ex._ready or effects.writes or effects.starts or effects.asks or effects.stops):
                return self

    def _stamp(self) -> None:
        self.ex.effects.writes = Stamped(self.trace)
        self.ex.effects.starts = Stamped(self.trace)

    def flush(self) -> None:
        """Make durable what waits, one write after the other."""
        while self.waiting:
            write, seen = self.waiting.pop(0)
            record = self._apply(write.request)
            self.moments.append(Moment(dict(self.records), seen))
            if write.then is not None:
                write.then(Response(200, promise=record))

    def _apply(self, request: Request) -> PromiseRecord:
        match request:
            case TaskFence(action=PromiseCreate() as create):
                return self.records.setdefault(create.id, self._created(create))
            case FenceSettled(action=create, state=state, value=value):
                self.records.setdefault(create.id, self._created(create))
                return self.settle(create.id, state, value)
            case PromiseSettle(id=id, state=state, value=value):
                return self.settle(id, state, value)
        raise AssertionError(f"the execution wrote {request!r}")

    def _created(self, create: PromiseCreate) -> PromiseRecord:
        return PromiseRecord(create.id, "pending", create.timeout_at, self.now, param=create.param, tags=create.tags)

    def settle(self, id: str, state: Any, value: Any) -> PromiseRecord:
        record = self.records[id]
        if record.state == "pending":
            self.now += 10
            record = msgspec.structs.replace(record, state=state, value=value, settled_at=self.now)
            self.records[id] = record
        return record

    def _begin(self, item: Any) -> None:
        if hasattr(item, "slot"):
            if not item.slot.is_settled and item.slot.stop_reason is None:
                self.steps[item.slot.id] = item
                self.started.append(item.slot.id)
                assert self.records.get(item.slot.id) is None, f"{item.slot.id} runs although its outcome is recorded"
                self.moments.append(Moment(dict(self.records), self._seen_by_start[item.slot.id]))
        else:
            self.asks.append(item)

    def _stop(self, slot: Any) -> None:
        self.ex.steps_running -= 1
        self.ex.answers_open += 1
        self.steps.pop(slot.id, None)
        create = self.ex.local_create(slot, slot.timeout_at, {})
        request = FenceSettled("w", 1, create, "rejected_canceled", CODEC.encode_error(Cancelled(slot.stop_reason)))
        self.waiting.append((Write(request, lambda answer: self.ex.stopped(slot, answer)), len(self.trace)))

    # -- what happens outside --------------------------------------------------------------------------------------

    @property
    def outside(self) -> list[str]:
        """Promises that somebody else can settle now: those durable and open."""
        return [r.id for r in self.records.values() if r.state == "pending" and ".inbox." not in r.id]

    def finish_step(self, id: str, value: Any = None, error: Exception | None = None) -> World:
        """End a running step; its outcome is recorded, then given to the execution."""
        start = self.steps.pop(id)
        state, encoded = (
            ("resolved", CODEC.encode_value(value)) if error is None else ("rejected", CODEC.encode_error(error))
        )
        write = Write(FenceSettled("w", 1, start.create, state, encoded), lambda answer: self._given(start, answer))
        self.waiting.append((write, len(self.trace)))
        self.flush()
        return self.look()

    def settle_elsewhere(self, start: StartStep, value: Any) -> PromiseRecord:
        """Return the record of a step whose outcome is on its way and has not been told to the execution."""
        self.steps.pop(start.slot.id)
        record = self._created(start.create)
        return msgspec.structs.replace(record, state="resolved", value=CODEC.encode_value(value), settled_at=self.now)

    def _given(self, start: StartStep, answer: Response) -> None:
        self.ex.steps_running -= 1
        value, error = self.env.decode(start.slot, answer.promise)
        start.slot.settle(value, self.ex.wrapped(start.slot, error), answer.promise.settled_at)
        self.ex.slot_settled(start.slot)

    def resolve(self, id: str, value: Any = None) -> World:
        """Settle a promise of somebody else: a remote child, a timer, a latent promise."""
        is_timer = self.records[id].tags.get(TAG_TIMER) == "true"
        if is_timer:
            self.now = max(self.now, self.records[id].timeout_at)
        return self._settled_outside(self.settle(id, "resolved", CODEC.encode_value(None if is_timer else value)))

    def reject(self, id: str, error: Exception) -> World:
        state = "rejected_canceled" if isinstance(error, CanceledError) else "rejected"
        return self._settled_outside(self.settle(id, state, CODEC.encode_error(error)))

    def _settled_outside(self, record: PromiseRecord) -> World:
        slot = self.ex.slots.get(record.id)
        if slot is not None and slot.watched:
            self.ex.settle_slot(slot, record)
        return self.look()

    def message(self, kind: Any = "send", topic: str | None = None, *args: Any, **answers: str) -> World:
        """Put a message into the next slot of the inbox, and tell the execution.

        Args:
            kind: what is sent.
            topic: name of the handler.
            args: what the handler gets.
            answers: promises of the sender (``reply``, ``accepted``).
        """
        self.store_message(kind, topic, *args, **answers)
        self.notice()
        return self.look()

    def notice(self) -> None:
        """Hand over the messages that are stored and not known."""
        while (record := self.records.get(inbox_id("w", self.ex.inbox.next_slot))) is not None:
            self._hand_over(record)

    def store_message(self, kind: Any, topic: str | None = None, *args: Any, **answers: str) -> None:
        """Put a message into the next slot of the inbox; the execution does not know."""
        slot = sum(1 for id in self.records if id.startswith("w.inbox.") and id[8:].isdigit())
        self.now += 10
        body = {"id": f"m{slot}", "kind": kind, "topic": topic, "args": list(args), **answers}
        self.records[inbox_id("w", slot)] = PromiseRecord(
            inbox_id("w", slot),
            "resolved",
            FOREVER,
            self.now,
            value=CODEC.encode_value(body),
            tags={TAG_BRANCH: "w", TAG_ORIGIN: "w"},
            settled_at=self.now,
        )

    def _hand_over(self, record: PromiseRecord) -> None:
        body = CODEC.decode_value(record.value)
        slot = int(record.id.rpartition(".")[2])
        self.ex.message_arrived(
            Message(
                **{**body, "args": tuple(body["args"])},
                slot=slot,
                at_ms=record.settled_at,
            )
        )

    def answer(self, value: Any = None, error: Exception | None = None) -> World:
        """Answer the first open ask."""
        self.asks.pop(0).then(value, error)
        return self.look()

    # -- what tests look at ----------------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """What the function returned; its error is raised."""
        assert self.ex.outcome is not None, f"not ended: waits for {sorted(self.ex._sources)}"
        if self.ex.outcome.error is not None:
            raise self.ex.outcome.error
        return self.ex.outcome.value

    def order(self) -> list[str]:
        """Entries of all durable order records, in order."""
        found = [r for r in self.records.values() if r.id.startswith("w.order.")]
        found.sort(key=lambda record: int(record.id.rpartition(".")[2]))
        return [entry for record in found for entry in CODEC.decode_value(record.value)]

    def replayed(self, records: dict[str, PromiseRecord] | None = None, function: Any = None) -> World:
        """Return another process that goes over what is durable."""
        return World(
            function or self.function,
            self.args,
            dict(self.records if records is None else records),
            now=self.now + 1_000,
            version=self.version + 1,
        )
