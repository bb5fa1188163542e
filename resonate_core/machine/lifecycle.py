"""Birth and end of promises, and what an end sets off.

A settlement is a cascade: the promise's own task is fulfilled and forgets what it waited for; tasks that waited for the
promise are offered again; listeners are told. An awaiter whose own deadline has passed is settled instead of woken, and
so on: a worklist, not recursion, since chains may be as long as the user likes. A promise is marked settled before
anything is woken for it, so the result does not depend on the order in which deadlines are found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from resonate_core.limits import RESUMES_COUNT_MAX
from resonate_core.machine import moves
from resonate_core.machine.state import TaskRow
from resonate_core.protocol.records import (
    TAG_DELAY,
    TAG_EXTERNAL,
    TAG_SCOPE,
    TAG_TARGET,
    TAG_TIMER,
    PromiseRecord,
    SettledState,
    Value,
)
from resonate_core.protocol.requests import Execute, PromiseCreate, Unblock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resonate_core.machine.draft import Draft


def is_internal(tags: Mapping[str, str]) -> bool:
    """Whether a promise is a local child: nobody but its own worker settles it, so nobody else may wait for it.

    Internal promises have no active timer either; they expire when somebody looks.
    """
    if tags.get(TAG_SCOPE) != "local":
        return False
    return TAG_TARGET not in tags and tags.get(TAG_TIMER) != "true" and tags.get(TAG_EXTERNAL) != "true"


def timed_out(promise: PromiseRecord) -> PromiseRecord:
    """Return a pending promise as its deadline leaves it: stamped with the deadline, whenever that is noticed."""
    state: SettledState | str = "resolved" if promise.tags.get(TAG_TIMER) == "true" else "rejected_timedout"
    return msgspec.structs.replace(promise, state=state, settled_at=promise.timeout_at)


def as_of(promise: PromiseRecord, now_ms: int) -> PromiseRecord:
    """Return a promise as it reads now, deadline applied (inclusive: due at its very millisecond)."""
    if promise.state == "pending" and promise.timeout_at <= now_ms:
        return timed_out(promise)
    return promise


def touch(draft: Draft, id: str) -> PromiseRecord | None:
    """Read a promise, settling it first if its deadline has passed."""
    promise = draft.promise(id)
    if promise is None or promise.state != "pending" or promise.timeout_at > draft.now_ms:
        return promise
    settled = timed_out(promise)
    settle(draft, settled)
    return settled


def settle_as(draft: Draft, promise: PromiseRecord, state: SettledState, value: Value) -> PromiseRecord:
    """Settle a live promise the way somebody asked for."""
    settled = msgspec.structs.replace(
        promise, state=state, value=value, settled_at=max(draft.now_ms, promise.created_at)
    )
    settle(draft, settled)
    return settled


def settle(draft: Draft, settled: PromiseRecord) -> None:
    """Store a settled record and everything that follows from it."""
    draft.settle(settled)
    work = [settled]
    while work:
        record = work.pop()
        if TAG_TARGET in record.tags:
            _fulfill_task(draft, record.id)
        for awaiter in draft.awaiters(record.id):
            draft.effects.callbacks[record.id, awaiter] = False
            expired = _wake(draft, awaiter, record.id)
            if expired is not None:
                work.append(expired)
        for address in draft.view.listeners(record.id):
            draft.effects.listeners[record.id, address] = False
            draft.send(address, Unblock(record))


def _fulfill_task(draft: Draft, id: str) -> None:
    task = draft.task(id)
    assert task is not None, "a promise with a target has a task"
    draft.put_task(moves.parked(task, "settle"))
    for awaited in draft.view.awaited_by(id):
        draft.effects.callbacks[awaited, id] = False


def _wake(draft: Draft, awaiter: str, awaited: str) -> PromiseRecord | None:
    """Wake a task, or note why it will have to look again; return its promise if that turns out to be over."""
    promise = draft.promise(awaiter)
    if promise is None or promise.state != "pending":
        return None
    if promise.timeout_at <= draft.now_ms:  # spec: NoDeadDispatch
        expired = timed_out(promise)
        draft.settle(expired)
        return expired
    task = draft.task(awaiter)
    assert task is not None, "who can wait is a task"
    if task.state == "suspended":
        offer(draft, task, "resume", resumes=(awaited,))
    elif awaited not in task.resumes and len(task.resumes) < RESUMES_COUNT_MAX:
        draft.put_task(msgspec.structs.replace(task, resumes=(*task.resumes, awaited)))
    return None


def offer(draft: Draft, task: TaskRow, event: moves.TaskEvent, *, resumes: tuple[str, ...] | None = None) -> TaskRow:
    """Make a task pending and tell its target."""
    offered = moves.offered(
        task,
        event,
        retry_at=draft.now_ms + draft.retry_ms,
        resumes=task.resumes if resumes is None else resumes,
    )
    draft.put_task(offered)
    prefer = task.last_pid if event == "resume" else None
    draft.send(offered.address, Execute(offered.id, offered.version), prefer=prefer)
    return offered


def create(draft: Draft, request: PromiseCreate, *, born_at: int | None = None) -> PromiseRecord:
    """Add a promise that does not exist yet, with its task, and dispatch it.

    Args:
        draft: where to.
        request: checked already.
        born_at: ``created_at`` where it is not now (schedules create as of the instant that was due).
    """
    promise = new_promise(draft, request, born_at=born_at)
    draft.create(promise)
    address = request.tags.get(TAG_TARGET)
    if address is not None:
        draft.put_task(_new_task(draft, promise, address))
    return promise


def new_promise(draft: Draft, request: PromiseCreate, *, born_at: int | None = None) -> PromiseRecord:
    """Build the record of a new promise; one whose deadline has passed is born settled."""
    dead = request.timeout_at <= draft.now_ms
    created_at = request.timeout_at if dead else draft.now_ms
    promise = PromiseRecord(
        id=request.id,
        state="pending",
        timeout_at=request.timeout_at,
        created_at=created_at if born_at is None else min(born_at, request.timeout_at),
        param=request.param,
        tags=request.tags,
    )
    return timed_out(promise) if dead else promise


def _new_task(draft: Draft, promise: PromiseRecord, address: str) -> TaskRow:
    """Build the task of a new promise: dispatched now, at its delay, or, for a timer, never."""
    task = TaskRow(promise.id, "fulfilled", 0, address, promise.timeout_at)
    if promise.state != "pending":
        return task
    is_timer = promise.tags.get(TAG_TIMER) == "true"
    first_at = promise.timeout_at if is_timer else int(promise.tags.get(TAG_DELAY, "0"))
    if first_at > draft.now_ms:
        return msgspec.structs.replace(task, state="pending", due_at=first_at)
    draft.send(address, Execute(promise.id, 0))
    return msgspec.structs.replace(task, state="pending", due_at=draft.now_ms + draft.retry_ms, is_offered=True)
