"""What holds of every state (N) and of every two consecutive states (O), each property by its number.

A property is a function that yields what breaks it; ``test_invariants`` has a violator for each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resonate_core.limits import RESUMES_COUNT_MAX
from resonate_core.machine.checks import is_address
from resonate_core.machine.lifecycle import is_internal
from resonate_core.protocol.records import EMPTY, TAG_DELAY, TAG_TARGET, TAG_TIMER
from resonate_core.protocol.requests import Execute, PromiseSearch, ScheduleSearch, TaskSearch, Unblock
from tests.conformance.steps import RETRY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resonate_core.machine.state import Outgoing, TaskRow, View
    from resonate_core.protocol.records import PromiseRecord, ScheduleRecord

ALL = 1_000_000


@dataclass
class Snapshot:
    """Everything that is stored, and the messages sent since the snapshot before."""

    now: int
    promises: dict[str, PromiseRecord] = field(default_factory=dict)
    tasks: dict[str, TaskRow] = field(default_factory=dict)
    callbacks: set[tuple[str, str]] = field(default_factory=set)
    listeners: set[tuple[str, str]] = field(default_factory=set)
    schedules: dict[str, ScheduleRecord] = field(default_factory=dict)
    emitted: list[Outgoing] = field(default_factory=list)


def take(view: View, now: int, emitted: list[Outgoing]) -> Snapshot:
    """Read a store through the interface that the machine uses."""
    promises = {one.id: one for one in view.search_promises(PromiseSearch(limit=ALL), now)}
    tasks = {one.id: one for one in view.search_tasks(TaskSearch(limit=ALL))}
    callbacks = {(awaited, awaiter) for awaited in promises for awaiter in view.awaiters(awaited)}
    reverse = {(awaited, awaiter) for awaiter in tasks for awaited in view.awaited_by(awaiter)}
    assert callbacks == reverse, "both directions of the callbacks agree"
    listeners = {(awaited, address) for awaited in promises for address in view.listeners(awaited)}
    schedules = {one.id: one for one in view.search_schedules(ScheduleSearch(limit=ALL))}
    return Snapshot(now, promises, tasks, callbacks, listeners, schedules, emitted)


# -- states ---------------------------------------------------------------------------------------------------------


def _is_timer(promise: PromiseRecord) -> bool:
    return promise.tags.get(TAG_TIMER) == "true"


def n1(s: Snapshot) -> Iterator[str]:
    for table in (s.promises, s.tasks, s.schedules):
        yield from (f"{key} holds {row.id}" for key, row in table.items() if key != row.id)


def n2(s: Snapshot) -> Iterator[str]:
    for p in s.promises.values():
        if p.created_at > p.timeout_at or (p.state == "pending" and p.created_at == p.timeout_at):
            yield f"{p.id} created at {p.created_at}, deadline {p.timeout_at}"


def n3(s: Snapshot) -> Iterator[str]:
    for p in s.promises.values():
        if p.created_at > s.now or (
            p.settled_at is not None and not p.created_at <= p.settled_at <= min(p.timeout_at, s.now)
        ):
            yield f"{p.id} created {p.created_at}, settled {p.settled_at}, deadline {p.timeout_at}, now {s.now}"


def n4(s: Snapshot) -> Iterator[str]:
    yield from (p.id for p in s.promises.values() if (p.settled_at is None) != (p.state == "pending"))


def n5(s: Snapshot) -> Iterator[str]:
    yield from (p.id for p in s.promises.values() if p.state == "pending" and p.value != EMPTY)


def n6(s: Snapshot) -> Iterator[str]:
    for p in s.promises.values():
        wanted = "resolved" if _is_timer(p) else "rejected_timedout"
        if p.settled_at == p.timeout_at and (p.state != wanted or p.value != EMPTY):
            yield p.id


def n7(s: Snapshot) -> Iterator[str]:
    yield from (p.id for p in s.promises.values() if p.state == "rejected_timedout" and p.settled_at != p.timeout_at)


def n8(s: Snapshot) -> Iterator[str]:
    yield from (awaited for awaited, awaiter in s.callbacks if awaited == awaiter)


def n9(s: Snapshot) -> Iterator[str]:
    for awaited, _ in s.callbacks | s.listeners:
        promise = s.promises.get(awaited)
        if promise is None or promise.state != "pending" or is_internal(promise.tags):
            yield awaited


def n10(s: Snapshot) -> Iterator[str]:
    targeted = {p.id for p in s.promises.values() if TAG_TARGET in p.tags}
    yield from targeted ^ set(s.tasks)


def n11(s: Snapshot) -> Iterator[str]:
    for t in s.tasks.values():
        p = s.promises.get(t.id)
        if p is not None and (p.state == "pending") == (t.state == "fulfilled"):
            yield f"{t.id}: promise {p.state}, task {t.state}"


def n12(s: Snapshot) -> Iterator[str]:
    for t in s.tasks.values():
        is_held = t.state == "acquired"
        if is_held != (t.pid is not None) or is_held != (t.ttl is not None) or (is_held and t.due_at is None):
            yield f"{t.id}: {t}"


def n13(s: Snapshot) -> Iterator[str]:
    yield from (t.id for t in s.tasks.values() if t.state == "pending" and t.due_at is None)


def n14(s: Snapshot) -> Iterator[str]:
    for t in s.tasks.values():
        if t.state in ("fulfilled", "suspended", "halted") and t.due_at is not None:
            yield f"{t.id}: a timer while {t.state}"
        if t.state in ("fulfilled", "suspended") and t.resumes:
            yield f"{t.id}: resumes while {t.state}"


def n15(s: Snapshot) -> Iterator[str]:
    yield from (t.id for t in s.tasks.values() if len(set(t.resumes)) != len(t.resumes))


def n16(s: Snapshot) -> Iterator[str]:
    yield from (t.id for t in s.tasks.values() if t.state == "acquired" and t.version < 1)


def n17(s: Snapshot) -> Iterator[str]:
    yield from (awaiter for _, awaiter in s.callbacks if awaiter not in s.tasks)


def n18(s: Snapshot) -> Iterator[str]:
    yield from (address for _, address in s.listeners if not is_address(address))


def n19(s: Snapshot) -> Iterator[str]:
    for out in s.emitted:
        message = out.message
        if isinstance(message, Execute):
            if message.id not in s.tasks or message.version > s.tasks[message.id].version:
                yield f"execute {message.id} at {message.version}"
        elif isinstance(message, Unblock) and s.promises.get(message.promise.id) != message.promise:
            yield f"unblock {message.promise.id}"


def n20(s: Snapshot) -> Iterator[str]:
    for one in s.schedules.values():
        if one.last_run_at is not None and not one.created_at <= one.last_run_at < one.next_run_at:
            yield one.id


def i16(s: Snapshot) -> Iterator[str]:
    waiting = {awaiter for _, awaiter in s.callbacks}
    yield from (t.id for t in s.tasks.values() if t.state == "suspended" and t.id not in waiting)


STATE: dict[str, Callable[[Snapshot], Iterator[str]]] = {
    "N1": n1, "N2": n2, "N3": n3, "N4": n4, "N5": n5, "N6": n6, "N7": n7, "N8": n8, "N9": n9, "N10": n10, "N11": n11,
    "N12": n12, "N13": n13, "N14": n14, "N15": n15, "N16": n16, "N17": n17, "N18": n18, "N19": n19, "N20": n20,
    "I16": i16,
}  # fmt: skip

# -- steps ----------------------------------------------------------------------------------------------------------

#: (before, after) of one step by a request; staying is always possible.
MOVES = {
    "pending": {"acquired", "halted", "fulfilled"},
    "acquired": {"pending", "suspended", "halted", "fulfilled"},
    "suspended": {"pending", "halted", "fulfilled"},
    "halted": {"pending", "fulfilled"},
    "fulfilled": set(),
}
BACKGROUND_MOVES = {
    "pending": {"fulfilled"},
    "acquired": {"pending", "fulfilled"},
    "suspended": {"pending", "fulfilled"},
    "halted": {"fulfilled"},
    "fulfilled": set(),
}


def _pairs(a: Snapshot, b: Snapshot) -> Iterator[tuple[TaskRow, TaskRow]]:
    yield from ((old, b.tasks[id]) for id, old in a.tasks.items() if id in b.tasks)


def o1(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for id, old in a.promises.items():
        new = b.promises.get(id, old)
        if any(getattr(old, name) != getattr(new, name) for name in ("param", "tags", "timeout_at", "created_at")):
            yield id


def o2(a: Snapshot, b: Snapshot) -> Iterator[str]:
    yield from (id for id, old in a.promises.items() if old.state != "pending" and b.promises.get(id, old) != old)


def o3(a: Snapshot, b: Snapshot) -> Iterator[str]:
    yield from set(a.promises) - set(b.promises)
    yield from set(a.tasks) - set(b.tasks)


def o4(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for old, new in _pairs(a, b):
        is_acquisition = old.state == "pending" and new.state == "acquired"
        if new.version != old.version + is_acquisition:
            yield f"{old.id}: {old.state} {old.version} -> {new.state} {new.version}"


def o5(a: Snapshot, b: Snapshot) -> Iterator[str]:
    yield from (old.id for old, new in _pairs(a, b) if old.state == "fulfilled" and new != old)


def o6(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for old, new in _pairs(a, b):
        if old.state != new.state and new.state not in MOVES[old.state]:
            yield f"{old.id}: {old.state} -> {new.state}"


def o9(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for awaited, awaiter in a.callbacks - b.callbacks:
        if b.promises[awaited].state == "pending" and b.tasks[awaiter].state != "fulfilled":
            yield f"{awaited} forgot {awaiter}"
    yield from (awaited for awaited, _ in a.listeners - b.listeners if b.promises[awaited].state == "pending")
    yield from (awaited for awaited, _ in b.callbacks - a.callbacks if b.promises[awaited].state != "pending")


def o10(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for awaited, awaiter in a.callbacks - b.callbacks:
        task = b.tasks[awaiter]
        is_noted = awaited in task.resumes or len(task.resumes) >= RESUMES_COUNT_MAX
        if task.state != "fulfilled" and not is_noted:
            yield f"{awaiter} was not told of {awaited}"


def o11(a: Snapshot, b: Snapshot) -> Iterator[str]:
    sent = [(out.message.promise.id, out.address) for out in b.emitted if isinstance(out.message, Unblock)]
    yield from (f"{one}" for one in a.listeners - b.listeners if sent.count(one) != 1)


def o12(a: Snapshot, b: Snapshot) -> Iterator[str]:
    consumed = {awaiter for _, awaiter in a.callbacks - b.callbacks}
    for old, new in _pairs(a, b):
        if old.state == "suspended" and new.state == "pending" and old.id not in consumed:
            yield old.id


def o13(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for old, new in _pairs(a, b):
        waits_for = [awaited for awaited, awaiter in b.callbacks if awaiter == old.id]
        if old.state == "acquired" and new.state == "suspended" and not any(
            b.promises[one].state == "pending" for one in waits_for
        ):
            yield old.id


def o14(a: Snapshot, b: Snapshot) -> Iterator[str]:
    births = {("pending", 0), ("acquired", 1), ("fulfilled", 0)}
    for id in set(b.tasks) - set(a.tasks):
        new = b.tasks[id]
        if id in a.promises or (new.state, new.version) not in births:
            yield f"{id}: born {new.state} at {new.version}"


def o16(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for old, new in _pairs(a, b):
        is_one_holding = old.state == new.state == "acquired" and old.version == new.version
        if is_one_holding and (old.pid, old.ttl) != (new.pid, new.ttl):
            yield old.id


def o17(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for new in b.tasks.values():
        old = a.tasks.get(new.id)
        moved = old is None or old.state != "acquired" or old.due_at != new.due_at
        if new.state == "acquired" and moved and new.due_at != b.now + (new.ttl or 0):
            yield f"{new.id}: lease until {new.due_at}"


def o18(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for old, new in _pairs(a, b):
        if new.resumes and not set(new.resumes) >= set(old.resumes):
            yield f"{old.id}: {old.resumes} -> {new.resumes}"
        if old.resumes and not new.resumes and new.state in ("pending", "halted"):
            yield f"{old.id}: resumes lost"


def o19(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for new in b.tasks.values():
        old = a.tasks.get(new.id)
        if new.state != "pending" or (old is not None and old.state == "pending" and old.due_at == new.due_at):
            continue
        promise = b.promises[new.id]
        first = {promise.timeout_at} if _is_timer(promise) else {int(promise.tags.get(TAG_DELAY, "-1"))}
        wanted = {b.now + RETRY_MS} | (first if old is None else set())
        is_early = old is not None and old.state == "pending" and (old.due_at or 0) > b.now
        if new.due_at not in wanted or is_early:
            yield f"{new.id}: retry at {new.due_at}, now {b.now}"


def o20(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for id, old in a.promises.items():
        new = b.promises.get(id, old)
        if old.state != "pending" or new.state == "pending":
            continue
        by_deadline = new.settled_at == new.timeout_at <= b.now and new.value == old.value
        by_client = new.settled_at == b.now < new.timeout_at and new.state != "rejected_timedout"
        if not by_deadline and not by_client:
            yield f"{id}: {new.state} at {new.settled_at}"


def o21(a: Snapshot, b: Snapshot) -> Iterator[str]:
    for old, new in _pairs(a, b):
        if old.state != "pending" and new.state == "pending" and b.promises[new.id].timeout_at <= b.now:
            yield f"{new.id} is dead and was made pending"
    for out in b.emitted:
        if isinstance(out.message, Execute) and b.promises[out.message.id].timeout_at <= b.now:
            yield f"{out.message.id} is dead and was dispatched"


STEP: dict[str, Callable[[Snapshot, Snapshot], Iterator[str]]] = {
    "O1": o1, "O2": o2, "O3": o3, "O4": o4, "O5": o5, "O6": o6, "O9": o9, "O10": o10, "O11": o11, "O12": o12,
    "O13": o13, "O14": o14, "O16": o16, "O17": o17, "O18": o18, "O19": o19, "O20": o20, "O21": o21,
}  # fmt: skip


def o22(a: Snapshot, b: Snapshot) -> Iterator[str]:
    """Of background steps only."""
    for old, new in _pairs(a, b):
        if old.state != new.state and new.state not in BACKGROUND_MOVES[old.state]:
            yield f"{old.id}: {old.state} -> {new.state}"
    for id, old in a.promises.items():
        new = b.promises.get(id, old)
        if old.state == "pending" != new.state and new.settled_at != new.timeout_at:
            yield f"{id} was settled by nobody"


def check_state(s: Snapshot, where: str) -> None:
    """Fail with the number of each property that does not hold."""
    broken = [f"{number}: {text}" for number, prop in STATE.items() for text in prop(s)]
    assert not broken, f"{where}\n  " + "\n  ".join(broken)


def check_step(a: Snapshot, b: Snapshot, where: str, *, is_background: bool = False) -> None:
    """Fail with the number of each property that does not hold."""
    broken = [f"{number}: {text}" for number, prop in STEP.items() for text in prop(a, b)]
    if is_background:
        broken += [f"O22: {text}" for text in o22(a, b)]
    assert not broken, f"{where}\n  " + "\n  ".join(broken)
