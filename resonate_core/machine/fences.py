"""Requests that do several things in one step: fences, local results, inbox messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from resonate_core.ids import inbox_id
from resonate_core.machine import checks
from resonate_core.machine.lifecycle import create, new_promise, settle_as, touch
from resonate_core.machine.promises import existing
from resonate_core.machine.refusal import conflict, invalid
from resonate_core.machine.tasks import held
from resonate_core.protocol.records import (
    TAG_BRANCH,
    TAG_EXTERNAL,
    TAG_ORIGIN,
    TAG_PARENT,
    TAG_SCOPE,
    TAG_TARGET,
    PromiseRecord,
)
from resonate_core.protocol.requests import PromiseCreate, Response

if TYPE_CHECKING:
    from resonate_core.machine.draft import Draft
    from resonate_core.protocol.requests import FenceSettled, MessageAppend, TaskFence

#: Header of a message: its id, by which a repeated send is recognised.
MESSAGE_HEADER: Final = "resonate:message"


def fence(draft: Draft, request: TaskFence) -> Response:
    """Answer ``task.fence``: one promise operation, only while the task is held.

    Settling an unknown promise is 404 like an unknown task; the response then carries the task. No preload: handing out
    the branch with each of its n children would cost n squared.
    """
    checks.check_version(request.version)
    action = request.action
    _check_other(request.id, action.id)
    if isinstance(action, PromiseCreate):
        checks.check_create(action)
        held(draft, request.id, request.version)
        return Response(200, promise=touch(draft, action.id) or create(draft, action))
    checks.check_state(action.state)
    task = held(draft, request.id, request.version)
    promise = touch(draft, action.id)
    if promise is None:
        return Response(404, task=task.record, error=f"promise {action.id!r} does not exist")
    if promise.state == "pending":
        promise = settle_as(draft, promise, action.state, action.value)
    return Response(200, promise=promise)


def _check_other(id: str, action_id: str) -> None:
    if id == action_id:
        raise invalid(f"task {id!r} cannot fence an operation on its own promise; use task.fulfill")


def fence_settled(draft: Draft, request: FenceSettled) -> Response:
    """Answer ``x.fence_settled``: a local child, created and settled with one row written."""
    checks.check_version(request.version)
    checks.check_create(request.action)
    checks.check_state(request.state)
    _check_other(request.id, request.action.id)
    if TAG_TARGET in request.action.tags:
        raise invalid(f"promise {request.action.id!r} has {TAG_TARGET}: only local children are born settled")
    held(draft, request.id, request.version)
    promise = touch(draft, request.action.id)
    if promise is None:
        promise = new_promise(draft, request.action)
        if promise.state == "pending":
            promise = msgspec.structs.replace(
                promise, state=request.state, value=request.value, settled_at=draft.now_ms
            )
        draft.create(promise)
    elif promise.state == "pending":
        promise = settle_as(draft, promise, request.state, request.value)
    return Response(200, promise=promise)


def message_append(draft: Draft, request: MessageAppend) -> Response:
    """Answer ``x.message_append``: put a message into the first free slot of an inbox, once.

    A message that has arrived is answered with its slot even when the execution has settled since: the sender asks
    again because it missed the first answer.
    """
    checks.check_instant(request.timeout_at, "timeoutAt")
    checks.check_instant(request.hint, "hint")
    execution = existing(draft, request.id)
    message_id = (request.value.headers or {}).get(MESSAGE_HEADER)
    seen = None if message_id is None else draft.view.letter(request.id, message_id)
    if seen is not None:
        return Response(200, promise=existing(draft, inbox_id(request.id, seen)))
    if execution.state != "pending":
        raise conflict(f"execution {request.id!r} is {execution.state}; it takes no more messages")
    slot, promise = _find_slot(draft, request, message_id)
    if message_id is not None:
        draft.effects.letters[request.id, message_id] = slot
    if promise is not None and promise.state != "pending":
        return Response(200, promise=promise)
    if draft.effects.tails[request.id] == slot:
        draft.effects.tails[request.id] = slot + 1
    return Response(200, promise=_fill(draft, request, execution, slot, promise))


def _find_slot(draft: Draft, request: MessageAppend, message_id: str | None) -> tuple[int, PromiseRecord | None]:
    """Find the first free slot, or the one that a sender without this request has filled with the same message.

    Slots filled that way are noted in passing, once each. The tail stays at the first free slot, so that a hint that is
    too high leaves no hole for good: the receiver reads slots in order.
    """
    slot = draft.view.tail(request.id)
    draft.effects.tails[request.id] = slot
    while True:
        promise = touch(draft, inbox_id(request.id, slot))
        if promise is None or promise.state == "pending":
            if slot >= request.hint:
                return slot, promise
            slot = request.hint
            continue
        known = (promise.value.headers or {}).get(MESSAGE_HEADER)
        if known is not None:
            draft.effects.letters[request.id, known] = slot
            if known == message_id:
                return slot, promise
        if draft.effects.tails[request.id] == slot:
            draft.effects.tails[request.id] = slot + 1
        slot += 1


def _fill(
    draft: Draft, request: MessageAppend, execution: PromiseRecord, slot: int, promise: PromiseRecord | None
) -> PromiseRecord:
    """Resolve a slot that its receiver waits for, or create it resolved."""
    if promise is not None:
        return settle_as(draft, promise, "resolved", request.value)
    id = inbox_id(request.id, slot)
    tags = {
        TAG_EXTERNAL: "true",
        TAG_SCOPE: "global",
        TAG_ORIGIN: execution.tags.get(TAG_ORIGIN, execution.id),
        TAG_BRANCH: execution.id,  # so that the messages come with the execution's preload
        TAG_PARENT: execution.id,
    }
    filled = PromiseRecord(
        id=id,
        state="resolved",
        timeout_at=max(request.timeout_at, draft.now_ms + 1),  # it has arrived: it never times out
        created_at=draft.now_ms,
        value=request.value,
        tags=tags,
        settled_at=draft.now_ms,
    )
    draft.create(filled)
    return filled
