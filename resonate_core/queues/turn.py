"""What a queued execution does around its body: stand in line, wait for its turn, take a seat in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.driver import Driver
from resonate_core.errors import UsageError
from resonate_core.limits import KEEPER_TIMEOUT_S
from resonate_core.queues.keeper import KEEPER_FUNCTION, REQUEST
from resonate_core.queues.queue import declared_limits, keeper_id, turn_id
from resonate_core.queues.seats import seat_in

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core.context import Context


def job_of(promise_id: str, place: dict[str, Any], *, is_own: bool) -> dict[str, Any]:
    """Return what the keeper has to know of an execution; ``is_own``: it asks itself, and its sender asks too."""
    known = {key: place.get(key) for key in ("priority", "at", "dedup")}
    return {"id": promise_id, **known, "is_own": is_own}


def waits(extra: dict[str, Any]) -> bool:
    """Whether the options that travelled with a call let its body wait."""
    return bool(extra.get("delay")) or extra.get("queue") is not None


def begun_later(
    ctx: Context, extra: dict[str, Any], body: Generator[Any, Any, Any], *, is_first_run: bool
) -> Generator[Any, Any, Any]:
    """Run a body after the waits that the options which travelled with the call ask for.

    Args:
        ctx: of the execution.
        extra: what travelled: ``delay`` in seconds, ``queue`` as ``place_in`` made it.
        body: the generator of the function; it is closed if its turn never comes.
        is_first_run: a run after continue-as-new does not wait again: it keeps its place.

    Raises:
        UsageError: nobody knows the limits of the queue.
    """
    place = extra.get("queue")
    try:
        if is_first_run and extra.get("delay"):
            yield ctx.sleep(extra["delay"])
        if place is None:
            return (yield from body)
        limits = _limits_of(ctx, place)
        if is_first_run:
            yield from _wait_for_turn(ctx, place, limits, is_alone=bool(extra.get("delay")))
        return (yield from _on_this_worker(ctx, place, limits.get("worker_concurrency"), body))
    finally:
        body.close()


def _limits_of(ctx: Context, place: dict[str, Any]) -> dict[str, Any]:
    """Return limits as this process declares them, else as the caller did.

    Raises:
        UsageError: neither knows the queue; to run without limits would be worse than to fail.
    """
    limits: dict[str, Any] | None = declared_limits(place["name"]) or place["limits"]
    if limits is None:
        raise UsageError(
            f"{ctx.id} waits in queue {place['name']!r}, which neither its starter nor this worker declares; "
            f"say Queue({place['name']!r}, ...) in the program of the worker"
        )
    return limits


def _wait_for_turn(
    ctx: Context, place: dict[str, Any], limits: dict[str, Any], *, is_alone: bool
) -> Generator[Any, Any, None]:
    keeper = keeper_id(place["name"], place["partition"])
    promise_id = ctx.execution.id
    turn = yield ctx.promise(id=turn_id(promise_id), timeout=KEEPER_TIMEOUT_S)
    yield ctx.detached(KEEPER_FUNCTION).options(id=keeper, timeout=KEEPER_TIMEOUT_S)
    yield ctx.signal(keeper, REQUEST, job_of(promise_id, place, is_own=not is_alone), limits)
    yield turn


def _on_this_worker(
    ctx: Context, place: dict[str, Any], most: int | None, body: Generator[Any, Any, Any]
) -> Generator[Any, Any, Any]:
    """Run the body when this process has room for it."""
    if most is None or ctx.execution.version == 0:  # a replay that answers a query takes no seat
        return (yield from body)
    with seat_in(place["name"], place["partition"], most) as seat:
        yield Driver(ctx).outside(seat.wait)
        return (yield from body)
