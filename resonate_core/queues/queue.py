"""``Queue``: a name with limits, and the place in it that a call asks for."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, TypedDict, TypeGuard

from resonate_core.errors import UsageError
from resonate_core.ids import check_id


class RateLimit(TypedDict):
    """At most ``limit`` starts in any ``period`` of seconds."""

    limit: int
    period: float


class Queue:
    """A durable queue by name: ``yield ctx.enqueue(queue, function, ...)`` or ``resonate.enqueue(queue, id, ...)``.

    The same name is the same queue in every process on one store. Every process that works for it declares it.

    Args:
        name: of the queue.
        concurrency: executions of it that run at the same time, over all processes.
        worker_concurrency: the same, in one process.
        limiter: starts in a period, over all processes.
        priority_enabled: calls may say ``.options(priority=...)``; lower numbers go first, 0 is the default.
        partition_queue: calls say ``.options(partition=...)``; each partition has these limits for itself.

    Raises:
        UsageError: a limit that cannot be, or the name belongs to a queue with other limits.
    """

    def __init__(
        self,
        name: str,
        *,
        concurrency: int | None = None,
        worker_concurrency: int | None = None,
        limiter: RateLimit | None = None,
        priority_enabled: bool = False,
        partition_queue: bool = False,
    ) -> None:
        check_id(keeper_id(name, None))
        self.name = name
        self.concurrency = _count(concurrency, f"concurrency of queue {name!r}")
        self.worker_concurrency = _count(worker_concurrency, f"worker_concurrency of queue {name!r}")
        self.limiter = _rate(limiter, name)
        self.priority_enabled = priority_enabled
        self.partition_queue = partition_queue
        if self.concurrency is not None and (self.worker_concurrency or 0) > self.concurrency:
            raise UsageError(
                f"queue {name!r}: worker_concurrency={worker_concurrency} is above concurrency={concurrency}, so it "
                "would limit nothing"
            )
        _declare(self)

    @property
    def limits(self) -> dict[str, Any]:
        """The limits as they travel with a call."""
        return {
            "concurrency": self.concurrency,
            "limiter": self.limiter,
            "worker_concurrency": self.worker_concurrency,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Queue) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Queue({self.name!r})"


#: Queues that this process knows, by name; and the limits of those that belong to another API.
_declared: Final[dict[str, Queue]] = {}
_foreign: Final[dict[str, dict[str, Any]]] = {}


def _declare(queue: Queue) -> None:
    known = _declared.setdefault(queue.name, queue)
    if known != queue:
        raise UsageError(
            f"queue {queue.name!r} exists in this process with other limits: {known.limits}, now {queue.limits}; "
            "declare it once and import it"
        )


def declared_limits(name: str) -> dict[str, Any] | None:
    """Return the limits of a queue as this process declares them, None if it does not."""
    return _declared[name].limits if name in _declared else _foreign.get(name)


def declare_limits(name: str, limits: dict[str, Any]) -> None:
    """Declare a queue that another API has in this process; a ``Queue`` of the name goes before it.

    Args:
        name: of the queue.
        limits: ``concurrency``, ``worker_concurrency``, ``limiter``, as in ``Queue.limits``; the last call counts.
    """
    check_id(keeper_id(name, None))
    _foreign[name] = limits


@dataclass(frozen=True)
class QueuePlace:
    """A place in a queue as another API asks for it: ``.options(queue=QueuePlace(...))``.

    Attributes:
        name: of the queue.
        partition: of a queue with partitions.
        priority: lower numbers go first.
        limits: as in ``Queue.limits``; None leaves them to the processes that declare the queue.
        dedup: deduplication id, which ``claim_place`` has claimed.
    """

    name: str
    partition: str | None = None
    priority: int = 0
    limits: dict[str, Any] | None = None
    dedup: str | None = None


def keeper_id(name: Any, partition: str | None) -> str:
    """Return the id of the keeper of a queue, or of one partition of it."""
    if not isinstance(name, str) or not name:
        raise UsageError(f"the name of a queue must be text, got {name!r}")
    return f"queue/{name}" if partition is None else f"queue/{name}/{partition}"


def turn_id(promise_id: str) -> str:
    """Return the id of the promise that an execution in a queue waits for."""
    return f"turn/{promise_id}"


def place_in(queue: Any, *, priority: int, partition: str | None, now_ms: int) -> dict[str, Any]:
    """Return the place that a call asks for, as it travels with the call.

    Args:
        queue: a ``Queue``, the name of one that the workers know, or a whole place of another API.
        priority: lower numbers go first.
        partition: of a queue with partitions.
        now_ms: when it was enqueued; the older goes first.

    Raises:
        UsageError: a priority or partition that does not fit the queue.
    """
    if isinstance(queue, QueuePlace):
        return {**asdict(queue), "at": now_ms}
    known = queue if isinstance(queue, Queue) else _declared.get(queue)
    name = queue.name if isinstance(queue, Queue) else queue
    check_id(keeper_id(name, partition))
    if known is not None and known.partition_queue is (partition is None):
        is_not = "" if known.partition_queue else "not "
        raise UsageError(f"queue {name!r} is {is_not}partitioned, and option partition is {partition!r}")
    if known is not None and priority and not known.priority_enabled:
        raise UsageError(f"option priority={priority} needs a queue with priority_enabled=True; {name!r} has it not")
    return {
        "name": name,
        "partition": partition,
        "priority": priority,
        "at": now_ms,
        "limits": None if known is None else known.limits,
    }


def _count(value: Any, what: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise UsageError(f"{what} must be a whole number from 1, or None for no limit, got {value!r}")


def _rate(value: Any, name: str) -> RateLimit | None:
    if value is None:
        return None
    limit, period = (value.get("limit"), value.get("period")) if isinstance(value, dict) else (None, None)
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 1 and _is_positive(period):
        return {"limit": limit, "period": float(period)}
    raise UsageError(f'limiter of queue {name!r} must be {{"limit": starts, "period": seconds}}, got {value!r}')


def _is_positive(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
