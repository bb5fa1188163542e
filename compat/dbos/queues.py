"""``Queue``: workflows that wait for their turn, as their queue's limits say."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypedDict

from compat.dbos.context import Block, wishes
from compat.dbos.error import DBOSException
from compat.dbos.keeper import KEEPER_FUNCTION, KEEPER_TIMEOUT_S, gate_of, keeper_of
from compat.unsupported import UnsupportedFeatureError
from resonate_core import Driver, seat_in

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from compat.dbos.handles import WorkflowHandle, WorkflowHandleAsync
    from resonate_core import Context

#: Keyword under which a queued call carries its place in the queue.
QUEUE_KEY: Final = "__dbos_queue__"
TAG_QUEUE: Final = "dbos:queue"
TAG_DELAY: Final = "dbos:delay"
_PRIORITY_MAX: Final = 2**31 - 1


class QueueRateLimit(TypedDict):
    """At most ``limit`` starts in ``period`` seconds."""

    limit: int
    period: float


class Queue:
    """A queue by name; the arguments of 2.x and of 3.x say the same limits.

    Raises:
        DBOSException: the name is taken by a queue with other limits.
        UnsupportedFeatureError: limits of partitions together with limits over all of them.
    """

    def __init__(
        self,
        name: str,
        concurrency: int | None = None,
        limiter: QueueRateLimit | None = None,
        *,
        worker_concurrency: int | None = None,
        priority_enabled: bool = False,
        partition_queue: bool = False,
        polling_interval_sec: float = 1.0,
        global_concurrency: int | None = None,
        partition_concurrency: int | None = None,
        partition_worker_concurrency: int | None = None,
        partition_limiter: QueueRateLimit | None = None,
    ) -> None:
        del polling_interval_sec  # nothing is polled
        of_partitions = (partition_concurrency, partition_worker_concurrency, partition_limiter)
        over_all = (concurrency, limiter, worker_concurrency, global_concurrency)
        has_partition_limits = any(limit is not None for limit in of_partitions)
        if has_partition_limits and any(limit is not None for limit in over_all):
            raise UnsupportedFeatureError(f"queue {name!r}: limits of partitions and of all", "keep one kind of them")
        self.name = name
        self.concurrency = next(
            (limit for limit in (concurrency, global_concurrency, partition_concurrency) if limit is not None), None
        )
        self.limiter = limiter or partition_limiter
        self.worker_concurrency = worker_concurrency or partition_worker_concurrency
        self.priority_enabled = priority_enabled
        self.partition_queue = partition_queue or has_partition_limits
        if self.concurrency is not None and (self.worker_concurrency or 0) > self.concurrency:
            raise ValueError("worker_concurrency must be less than or equal to concurrency")
        queues[name] = self

    @property
    def limits(self) -> dict[str, Any]:
        """Limits over all processes, as the keeper gets them."""
        return {"concurrency": self.concurrency, "limiter": dict(self.limiter) if self.limiter else None}

    def enqueue(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> WorkflowHandle[Any]:
        """Start a workflow when its turn comes."""
        from compat.dbos.dbos import DBOS  # noqa: PLC0415 - the two know each other

        return DBOS.enqueue_workflow(self.name, function, *args, **kwargs)

    async def enqueue_async(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> WorkflowHandleAsync[Any]:
        """Start a workflow when its turn comes."""
        from compat.dbos.dbos import DBOS  # noqa: PLC0415 - the two know each other

        return await DBOS.enqueue_workflow_async(self.name, function, *args, **kwargs)


queues: Final[dict[str, Queue]] = {}


def queue_of(name: str) -> Queue:
    """Return a queue.

    Raises:
        DBOSException: there is none; DBOS would keep the workflow for ever.
    """
    if name not in queues:
        raise DBOSException(f"queue {name!r} is not registered; known are: {', '.join(sorted(queues)) or 'none'}")
    return queues[name]


class SetEnqueueOptions(Block):
    """What workflows that are enqueued in the block are given."""

    def __init__(
        self,
        *,
        deduplication_id: str | None = None,
        priority: int | None = None,
        app_version: str | None = None,
        queue_partition_key: str | None = None,
        delay_seconds: float | None = None,
        duplication_policy: str | None = None,
    ) -> None:
        if priority is not None and not 0 < priority <= _PRIORITY_MAX:
            raise DBOSException(f"priority is 1 to {_PRIORITY_MAX}, lower first; got {priority}")
        if app_version is not None:
            raise UnsupportedFeatureError("SetEnqueueOptions(app_version=...)", "leave it out: any version goes on")
        policy = getattr(duplication_policy, "value", duplication_policy)
        given = {
            "dedup": deduplication_id,
            "priority": priority,
            "partition": queue_partition_key,
            "delay": delay_seconds,
            "policy": policy,
        }
        super().__init__(enqueue=given)


@dataclass
class Place:
    """Where a queued call stands, as it travels with the call."""

    queue: str
    priority: int
    partition: str | None
    delay: float | None
    dedup: str | None
    policy: str | None
    timeout: float | None
    at: float
    limits: dict[str, Any] = field(default_factory=dict)
    worker_concurrency: int | None = None

    @property
    def keeper(self) -> str:
        """Id of the execution that grants."""
        return keeper_of(self.queue, self.partition)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the queued execution."""
        return {TAG_QUEUE: self.queue, **({TAG_DELAY: str(self.delay)} if self.delay else {})}


def place_in(queue: Queue) -> Place:
    """Read what the blocks around the caller wish for.

    Raises:
        DBOSException: a partition key is missing, or belongs to no partitioned queue.
    """
    wish = wishes()
    given = wish.enqueue
    partition = given.get("partition")
    if queue.partition_queue is (partition is None):
        raise DBOSException(
            f"queue {queue.name!r} is {'' if queue.partition_queue else 'not '}partitioned, and queue_partition_key "
            f"is {partition!r}"
        )
    if partition is not None and given.get("dedup") is not None:
        raise DBOSException("deduplication_id and queue_partition_key exclude each other")
    return Place(
        queue=queue.name,
        priority=given.get("priority") or 0,
        partition=partition,
        delay=given.get("delay"),
        dedup=given.get("dedup"),
        policy=given.get("policy"),
        timeout=wish.timeout,
        at=time.time(),
        limits=queue.limits,
        worker_concurrency=queue.worker_concurrency,
    )


def queued(ctx: Context, place: Place, body: Callable[[], Generator[Any, Any, Any]]) -> Generator[Any, Any, Any]:
    """Wait for the turn, run the body within its time, leave the queue whatever happened."""
    limits, most = _limits_here(place)
    gate = yield ctx.promise(id=gate_of(ctx.id), timeout=KEEPER_TIMEOUT_S)
    is_known = False
    try:
        if place.delay:
            yield ctx.sleep(place.delay)
        yield ctx.detached(KEEPER_FUNCTION).options(id=place.keeper, timeout=KEEPER_TIMEOUT_S)
        is_known = True
        job = {"id": ctx.id, "priority": place.priority, "at": place.at, "dedup": place.dedup}
        yield ctx.signal(place.keeper, "request", job, limits)
        yield gate
        value = yield from _on_this_worker(ctx, place, most, body)
    except GeneratorExit:
        raise
    except BaseException:
        if is_known:
            yield from _leave(ctx, place)
        raise
    yield from _leave(ctx, place)
    return value


def _limits_here(place: Place) -> tuple[dict[str, Any], int | None]:
    """Return limits over all processes and of this one: as this process declares them, else as the caller did.

    Raises:
        DBOSException: neither knows the queue; running without limits would be worse than failing.
    """
    if place.queue in queues:
        found = queues[place.queue]
        return found.limits, found.worker_concurrency
    if not place.limits:
        raise DBOSException(f"queue {place.queue!r} is not declared in the program that runs its workflows")
    return place.limits, place.worker_concurrency


def _leave(ctx: Context, place: Place) -> Generator[Any, Any, None]:
    with ctx.shielded():
        yield ctx.signal(place.keeper, "done", ctx.id)


def _on_this_worker(
    ctx: Context, place: Place, most: int | None, body: Callable[[], Generator[Any, Any, Any]]
) -> Generator[Any, Any, Any]:
    """Run the body when this process has room for it."""
    if most is None:
        return (yield from body())
    with seat_in(place.queue, place.partition, most) as seat:
        yield Driver(ctx).outside(seat.wait)
        return (yield from body())
