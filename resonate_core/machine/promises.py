"""The ``promise.*`` requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resonate_core.machine import checks
from resonate_core.machine.lifecycle import as_of, create, is_internal, settle_as, touch
from resonate_core.machine.refusal import impossible, invalid, missing
from resonate_core.protocol.records import TAG_TARGET
from resonate_core.protocol.requests import Response

if TYPE_CHECKING:
    from resonate_core.machine.draft import Draft
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import (
        PromiseCreate,
        PromiseGet,
        PromiseRegisterCallback,
        PromiseRegisterListener,
        PromiseSearch,
        PromiseSettle,
    )


def get(draft: Draft, request: PromiseGet) -> Response:
    """Answer ``promise.get``."""
    return Response(200, promise=existing(draft, request.id))


def existing(draft: Draft, id: str) -> PromiseRecord:
    """Return a promise as it is now, or refuse with 404."""
    promise = touch(draft, id)
    if promise is None:
        raise missing("promise", id)
    return promise


def create_promise(draft: Draft, request: PromiseCreate) -> Response:
    """Answer ``promise.create``: the first writer's record, whoever asks."""
    checks.check_create(request)
    return Response(200, promise=touch(draft, request.id) or create(draft, request))


def settle(draft: Draft, request: PromiseSettle) -> Response:
    """Answer ``promise.settle``: 200 whoever won; the record says what holds."""
    checks.check_state(request.state)
    promise = existing(draft, request.id)
    if promise.state == "pending":
        promise = settle_as(draft, promise, request.state, request.value)
    return Response(200, promise=promise)


def register_callback(draft: Draft, request: PromiseRegisterCallback) -> Response:
    """Answer ``promise.register_callback``."""
    if request.awaited == request.awaiter:  # spec: well_formed_promise_awaiter_is_not_self
        raise invalid(f"promise {request.awaited!r} cannot wait for itself")
    awaited = existing(draft, request.awaited)
    awaiter = touch(draft, request.awaiter)
    if awaiter is None or TAG_TARGET not in awaiter.tags:
        raise impossible(f"awaiter {request.awaiter!r} is no promise with {TAG_TARGET}: nothing could be woken")
    check_awaitable(awaited)
    if awaited.state == "pending" and awaiter.state == "pending":
        draft.effects.callbacks[request.awaited, request.awaiter] = True
    return Response(200, promise=awaited)


def check_awaitable(awaited: PromiseRecord) -> None:
    """Refuse a local child of somebody: its deadline has no timer, so a wait could last for ever."""
    if is_internal(awaited.tags):
        raise impossible(f"promise {awaited.id!r} is a local child of its execution; nobody else can wait for it")


def register_listener(draft: Draft, request: PromiseRegisterListener) -> Response:
    """Answer ``promise.register_listener``."""
    checks.check_address(request.address, "address")
    awaited = existing(draft, request.awaited)
    check_awaitable(awaited)
    if awaited.state == "pending":
        draft.effects.listeners[request.awaited, request.address] = True
    return Response(200, promise=awaited)


def search(draft: Draft, request: PromiseSearch) -> Response:
    """Answer ``promise.search``; states are shown, and matched, as they read now."""
    checks.check_search(request.limit)
    if request.state is not None and request.state not in checks.PROMISE_STATES:
        raise invalid(f"state must be one of {', '.join(sorted(checks.PROMISE_STATES))}, got {request.state!r}")
    found = draft.view.search_promises(request, draft.now_ms)
    page = tuple(as_of(promise, draft.now_ms) for promise in found[: request.limit])
    return Response(200, promises=page, cursor=page[-1].id if len(found) > request.limit else None)
