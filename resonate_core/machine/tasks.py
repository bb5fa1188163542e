"""The ``task.*`` requests, but for fences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from resonate_core.ids import inbox_id
from resonate_core.machine import checks, moves
from resonate_core.machine.lifecycle import as_of, new_promise, offer, settle_as, touch
from resonate_core.machine.promises import check_awaitable, existing
from resonate_core.machine.refusal import conflict, impossible, invalid, missing
from resonate_core.machine.state import TaskRow
from resonate_core.protocol.records import TAG_BRANCH, TAG_DELAY, TAG_TARGET
from resonate_core.protocol.requests import Response, TaskFulfill

if TYPE_CHECKING:
    from resonate_core.machine.draft import Draft
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import (
        FulfillIfRead,
        TaskAcquire,
        TaskContinue,
        TaskCreate,
        TaskGet,
        TaskHalt,
        TaskHeartbeat,
        TaskRelease,
        TaskSearch,
        TaskSuspend,
    )


def current(draft: Draft, id: str) -> TaskRow:
    """Return a task as it is now, or refuse with 404."""
    task = draft.task(id)
    if task is None:
        raise missing("task", id)
    if task.deadline <= draft.now_ms and task.state != "fulfilled":
        touch(draft, id)
        return draft.task(id) or task
    return task


def held(draft: Draft, id: str, version: int) -> TaskRow:
    """Return a task that the caller still holds, or refuse: this is the fence."""
    task = current(draft, id)
    if task.state != "acquired" or task.version != version:
        raise conflict(f"task {id!r} is {task.state} at version {task.version}, not acquired at version {version}")
    return task


def preload(draft: Draft, promise: PromiseRecord) -> tuple[PromiseRecord, ...]:
    """Return what else stands in a promise's branch: what its execution has recorded so far."""
    branch = promise.tags.get(TAG_BRANCH)
    if branch is None:
        return ()
    now_ms = draft.now_ms
    return tuple(as_of(other, now_ms) for other in draft.view.branch(branch) if other.id != promise.id)


def get(draft: Draft, request: TaskGet) -> Response:
    """Answer ``task.get``."""
    return Response(200, task=current(draft, request.id).record)


def create(draft: Draft, request: TaskCreate) -> Response:
    """Answer ``task.create``: start an execution and hold it, or take a pending one."""
    checks.check_lease(request.pid, request.ttl)
    checks.check_create(request.action)
    address = request.action.tags.get(TAG_TARGET)
    if address is None:
        raise invalid(f"task.create needs the tag {TAG_TARGET}; use promise.create for a promise without a task")
    if TAG_DELAY in request.action.tags:
        raise invalid(f"task.create starts now; use promise.create for a promise with {TAG_DELAY}")
    promise = touch(draft, request.action.id)
    if promise is None:
        return _create_held(draft, request, address)
    task = draft.task(promise.id)
    if task is None:
        raise impossible(f"promise {promise.id!r} exists and has no {TAG_TARGET}: it cannot be executed")
    if task.state == "fulfilled":
        return Response(200, task=task.record, promise=promise)
    return _acquire(draft, task, promise, request)


def _create_held(draft: Draft, request: TaskCreate, address: str) -> Response:
    promise = new_promise(draft, request.action)
    draft.create(promise)
    task = TaskRow(promise.id, "fulfilled", 0, address, promise.timeout_at)
    if promise.state == "pending":
        task = moves.acquired(
            msgspec.structs.replace(task, state="pending"),
            pid=request.pid,
            ttl_ms=request.ttl,
            now_ms=draft.now_ms,
        )
    draft.put_task(task)
    return Response(200, task=task.record, promise=promise)


def acquire(draft: Draft, request: TaskAcquire) -> Response:
    """Answer ``task.acquire``: exactly one caller wins each version."""
    checks.check_lease(request.pid, request.ttl)
    checks.check_version(request.version)
    task = current(draft, request.id)
    if task.version != request.version:
        raise conflict(f"task {task.id!r} is at version {task.version}, not {request.version}")
    moves.next_state(task, "acquire")
    return _acquire(draft, task, existing(draft, task.id), request)


def _acquire(draft: Draft, task: TaskRow, promise: PromiseRecord, request: TaskAcquire | TaskCreate) -> Response:
    taken = moves.acquired(task, pid=request.pid, ttl_ms=request.ttl, now_ms=draft.now_ms)
    draft.put_task(taken)
    return Response(200, task=taken.record, promise=promise, preload=preload(draft, promise))


def heartbeat(draft: Draft, request: TaskHeartbeat) -> Response:
    """Answer ``task.heartbeat``: extend what is held, pass over the rest in silence."""
    if not request.pid:
        raise invalid("pid must not be empty")
    for beat in request.tasks:
        task = draft.task(beat.id)
        if task is None or task.state != "acquired" or task.ttl is None or task.deadline <= draft.now_ms:
            continue
        if task.version == beat.version and task.pid == request.pid:
            draft.put_task(msgspec.structs.replace(task, due_at=moves.lease_end(draft.now_ms, task.ttl)))
    return Response(200)


def suspend(draft: Draft, request: TaskSuspend) -> Response:
    """Answer ``task.suspend``: give the task up until something awaited settles; 300 if something has already.

    The preload of a 300 are the awaited promises that have settled: that is the news, and it stays cheap for an
    execution with ten thousand children.
    """
    _check_suspend(request)
    held(draft, request.id, request.version)
    awaited = [_awaited(draft, action.awaited) for action in request.actions]
    for promise in awaited:
        check_awaitable(promise)
    settled = {promise.id: promise for promise in awaited if promise.state != "pending"}
    task = current(draft, request.id)  # what has just expired may have left its name in it
    if settled:
        if task.resumes:
            draft.put_task(msgspec.structs.replace(task, resumes=()))
        return Response(300, preload=tuple(settled.values()))
    for promise in awaited:
        draft.effects.callbacks[promise.id, request.id] = True
    draft.put_task(moves.parked(task, "suspend"))
    return Response(200)


def _check_suspend(request: TaskSuspend) -> None:
    checks.check_version(request.version)
    if not request.actions:
        raise invalid(f"task {request.id!r} cannot suspend on nothing: nobody would wake it")
    for action in request.actions:
        if action.awaiter != request.id:
            raise invalid(f"awaiter {action.awaiter!r} differs from the task {request.id!r} that suspends")
        if action.awaited == request.id:
            raise invalid(f"task {request.id!r} cannot wait for itself")


def _awaited(draft: Draft, id: str) -> PromiseRecord:
    promise = touch(draft, id)
    if promise is None:
        raise impossible(f"awaited promise {id!r} does not exist")
    return promise


def fulfill(draft: Draft, request: TaskFulfill) -> Response:
    """Answer ``task.fulfill``: settle the promise and end its task in one step."""
    checks.check_version(request.version)
    checks.check_state(request.action.state)
    if request.action.id != request.id:
        raise invalid(f"task {request.id!r} cannot be fulfilled by settling {request.action.id!r}")
    held(draft, request.id, request.version)
    promise = existing(draft, request.id)
    return Response(200, promise=settle_as(draft, promise, request.action.state, request.action.value))


def fulfill_if_read(draft: Draft, request: FulfillIfRead) -> Response:
    """Answer ``x.fulfill_if_read``: end a task unless its inbox holds a message that the worker has not read."""
    checks.check_instant(request.slot, "slot")
    held(draft, request.id, request.version)
    unread = draft.promise(inbox_id(request.id, request.slot))
    if unread is not None and unread.state != "pending":
        return Response(300)
    return fulfill(draft, TaskFulfill(request.id, request.version, request.action))


def release(draft: Draft, request: TaskRelease) -> Response:
    """Answer ``task.release``: give the task back, to be offered at once."""
    checks.check_version(request.version)
    offer(draft, held(draft, request.id, request.version), "release")
    return Response(200)


def halt(draft: Draft, request: TaskHalt) -> Response:
    """Answer ``task.halt``: no dispatch until it is continued."""
    task = current(draft, request.id)
    if task.state != "halted":
        draft.put_task(moves.parked(task, "halt"))
    return Response(200)


def continue_(draft: Draft, request: TaskContinue) -> Response:
    """Answer ``task.continue``."""
    offer(draft, current(draft, request.id), "continue")
    return Response(200)


def search(draft: Draft, request: TaskSearch) -> Response:
    """Answer ``task.search``."""
    checks.check_search(request.limit)
    if request.state is not None and request.state not in checks.TASK_STATES:
        raise invalid(f"state must be one of {', '.join(sorted(checks.TASK_STATES))}, got {request.state!r}")
    found = draft.view.search_tasks(request)
    page = tuple(task.record for task in found[: request.limit])
    return Response(200, tasks=page, cursor=page[-1].id if len(found) > request.limit else None)
