"""``Queue``: workflows that wait for their turn, as their queue's limits say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict

from compat.dbos.context import Block, wishes
from compat.dbos.error import DBOSException
from compat.dbos.missing import refuse_arguments
from compat.dbos.statuses import TAG_TURN_TIMEOUT
from compat.unsupported import UnsupportedFeatureError
from resonate_core import QueuePlace, declare_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.dbos.handles import WorkflowHandle, WorkflowHandleAsync

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
        database_backed_queue: bool = False,
        **unknown: Any,
    ) -> None:
        del polling_interval_sec, database_backed_queue  # nothing is polled, and limits travel with the calls
        refuse_arguments("Queue", unknown)
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
        declare_limits(name, self.limits)

    @property
    def limits(self) -> dict[str, Any]:
        """Limits as the runtime takes them."""
        return {
            "concurrency": self.concurrency,
            "limiter": dict(self.limiter) if self.limiter else None,
            "worker_concurrency": self.worker_concurrency,
        }

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


@dataclass(frozen=True)
class Wanted:
    """How a workflow is enqueued: where, after how many seconds, with how many seconds from its turn on."""

    place: QueuePlace
    delay: float | None = None
    timeout: float | None = None
    policy: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Options of the call that makes the execution."""
        tags = {} if self.timeout is None else {TAG_TURN_TIMEOUT: str(self.timeout)}
        return {"queue": self.place, "tags": tags, **({"delay": self.delay} if self.delay else {})}


def wanted_in(queue: Queue) -> Wanted:
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
    return wanted(queue.name, given, timeout=wish.timeout)


def wanted(name: str, given: Mapping[str, Any], *, timeout: float | None) -> Wanted:
    """Say how a workflow is enqueued.

    Args:
        name: of the queue; one that this process does not know has its limits where its workflows run.
        given: ``dedup``, ``priority``, ``partition``, ``delay`` and ``policy``, as far as they are wished for.
        timeout: seconds that it has from its turn on.

    Raises:
        DBOSException: a deduplication id and a partition key.
    """
    if given.get("partition") is not None and given.get("dedup") is not None:
        raise DBOSException("deduplication_id and queue_partition_key exclude each other")
    place = QueuePlace(
        name,
        partition=given.get("partition"),
        priority=given.get("priority") or 0,
        limits=queues[name].limits if name in queues else None,
        dedup=given.get("dedup"),
    )
    return Wanted(place, given.get("delay"), timeout, given.get("policy"))


class EnqueueOptions(TypedDict, total=False):
    """What ``DBOSClient.enqueue`` starts, and how."""

    workflow_name: str
    queue_name: str
    workflow_id: str
    workflow_timeout: float
    delay_seconds: float
    deduplication_id: str
    duplication_policy: str
    priority: int
    queue_partition_key: str


_KNOWN: Final = frozenset(EnqueueOptions.__annotations__)


def wanted_by_options(options: Mapping[str, Any]) -> Wanted:
    """Say how a workflow is enqueued that is asked for by ``EnqueueOptions``.

    Raises:
        UnsupportedFeatureError: an option that would change what happens.
    """
    refuse_arguments("EnqueueOptions", {name: value for name, value in options.items() if name not in _KNOWN})
    policy = options.get("duplication_policy")
    given = {
        "dedup": options.get("deduplication_id"),
        "priority": options.get("priority"),
        "partition": options.get("queue_partition_key"),
        "delay": options.get("delay_seconds"),
        "policy": getattr(policy, "value", policy),
    }
    return wanted(options["queue_name"], given, timeout=options.get("workflow_timeout"))
