"""``Context``: the first argument of a durable function. Its calls build commands; yielding one does the work.

Everything here is cheap and has no effect: a call takes the next number for an id and returns a command. What is free
(``now``, ``uuid4``, ``rng``, ``id``, ``info``, ``logger``) is a plain call, derived from the recorded history.
"""

from __future__ import annotations

import datetime as dt
import random as _random
import time as _time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from resonate_core import commands as c
from resonate_core.context_info import ContextInfo, ReplaySafeLogger
from resonate_core.ids import check_id, child_id, seeded_random, seeded_uuid
from resonate_core.marks import handler_name
from resonate_core.scheduler.durations import seconds

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Generator, Iterator

    from resonate_core.queues.queue import Queue
    from resonate_core.scheduler.execution import Execution
    from resonate_core.scheduler.promises import Promise

P = ParamSpec("P")
T = TypeVar("T")


class Context:
    """What a durable function, a local child, a handler or a step knows of its place.

    Args:
        execution: the execution it belongs to.
        base: id that the ids of its children extend.
        shown_id: what ``ctx.id`` says, if not ``base``: the id the caller chose, whatever run or generation this is.
    """

    def __init__(self, execution: Execution, base: str, *, shown_id: str | None = None) -> None:
        self._execution = execution
        self.base = base
        self._shown_id = shown_id
        self._count = 0
        self._rng: _random.Random | None = None
        self._uuids: _random.Random | None = None
        self._logger: ReplaySafeLogger | None = None

    # -- what is known --------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Id of the execution or child."""
        return self._shown_id or self.base

    @property
    def execution(self) -> Execution:
        """The execution behind the context, for drivers and the runtime itself."""
        return self._execution

    @property
    def info(self) -> ContextInfo:
        """What is known about this execution."""
        return ContextInfo.of(self._execution, self.base)

    @property
    def logger(self) -> ReplaySafeLogger:
        """Logger that stays silent while the function goes over what it did before."""
        if self._logger is None:
            self._logger = ReplaySafeLogger(self._execution, self.id)
        return self._logger

    @property
    def rng(self) -> _random.Random:
        """Random numbers that are the same on every replay: an ordinary ``random.Random``, seeded by the id."""
        if self._rng is None:
            self._rng = seeded_random(f"{self.base}/rng")
        return self._rng

    @property
    def time(self) -> DurableTime:
        """Clock whose readings are durable steps: ``yield ctx.time.time()``. ``now()`` is free."""
        return DurableTime(self)

    @property
    def random(self) -> DurableRandom:
        """Random numbers drawn in durable steps: ``yield ctx.random.random()``. ``rng`` is free."""
        return DurableRandom(self)

    def now(self) -> dt.datetime:
        """Return the time of the last recorded event, aware, in UTC. The same on every replay."""
        return dt.datetime.fromtimestamp(self._execution.now_ms / 1000, tz=dt.UTC)

    def uuid4(self) -> uuid.UUID:
        """Return a version 4 uuid that is the same on every replay."""
        if self._uuids is None:
            self._uuids = seeded_random(f"{self.base}/uuid")
        return seeded_uuid(self._uuids)

    def get_dependency(self, name: str, default: Any = None) -> Any:
        """Return what the worker's ``set_dependency`` stored under a name."""
        return self._execution.env.dependencies.get(name, default)

    # -- calls ----------------------------------------------------------------------------------------------------

    def next_id(self) -> str:
        """Take the next number and return the id of the command that it belongs to."""
        self._count += 1
        return child_id(self.base, self._count, self._execution.base)

    def _call(
        self, kind: c.CallKind, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], begin: bool
    ) -> c.Call:
        return c.Call(self.next_id(), kind, function, args, kwargs, begin=begin)

    @overload
    def run(self, function: Callable[Concatenate[Any, P], Any], /, *args: P.args, **kwargs: P.kwargs) -> c.Call: ...
    @overload
    def run(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> c.Call: ...
    def run(self, function: Any, /, *args: Any, **kwargs: Any) -> c.Call:
        """Run a step or a local child here; yields its value."""
        return self._call("run", function, args, kwargs, False)

    @overload
    def begin_run(
        self, function: Callable[Concatenate[Any, P], Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> c.Call: ...
    @overload
    def begin_run(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> c.Call: ...
    def begin_run(self, function: Any, /, *args: Any, **kwargs: Any) -> c.Call:
        """Begin a step or a local child here; yields its ``Promise``."""
        return self._call("run", function, args, kwargs, True)

    def rpc(self, function: Any, /, *args: Any, **kwargs: Any) -> c.Call:
        """Run a registered function, or a name, on any worker of the target group; yields its value."""
        return self._call("rpc", function, args, kwargs, False)

    def begin_rpc(self, function: Any, /, *args: Any, **kwargs: Any) -> c.Call:
        """Begin a registered function, or a name, on any worker of the target group; yields its ``Promise``."""
        return self._call("rpc", function, args, kwargs, True)

    def detached(self, function: Any, /, *args: Any, **kwargs: Any) -> c.Call:
        """Begin an execution that outlives this one; yields its ``Promise``, which may be awaited."""
        return self._call("detached", function, args, kwargs, True)

    def enqueue(self, queue: Queue | str, function: Any, /, *args: Any, **kwargs: Any) -> c.Call:
        """Begin an execution that waits for its turn in a queue and outlives this one; yields its ``Promise``."""
        return self.detached(function, *args, **kwargs).options(queue=queue)

    lfc = run
    lfi = begin_run
    rfc = rpc
    rfi = begin_rpc

    def promise(
        self,
        *,
        id: str | None = None,
        timeout: float | dt.timedelta | None = None,
        idempotency_key: str | None = None,
        data: Any = None,
        tags: dict[str, str] | None = None,
    ) -> c.Latent:
        """Make a promise that somebody else settles; yields it.

        Args:
            id: chosen id, else positional.
            timeout: seconds until it is rejected as timed out.
            idempotency_key: accepted for the SDK's sake; promises here are idempotent by id.
            data: stored with the promise for whoever settles it.
            tags: stored with the promise.
        """
        own = self.next_id()
        command = c.Latent(own if id is None else check_id(id), data)
        changes: dict[str, Any] = {"idempotency_key": idempotency_key}
        if id is not None:
            changes["id"] = id
        if timeout is not None:
            changes["timeout"] = timeout
        if tags:
            changes["tags"] = tags
        return command.options(**changes)

    def sleep(self, duration: float | dt.timedelta, /) -> c.Sleep:
        """Wait durably; seconds or a timedelta. Zero and below go on at once."""
        return c.Sleep(self.next_id(), seconds(duration, "sleep"), begin=False)

    def begin_sleep(self, duration: float | dt.timedelta, /) -> c.Sleep:
        """Begin a durable timer; yields its ``Promise``."""
        return c.Sleep(self.next_id(), seconds(duration, "begin_sleep"), begin=True)

    def typesafe(self, command: Any) -> Generator[Any, Any, Any]:
        """Yield a command from a sub-generator, for type checkers that follow ``yield from``."""
        return (yield command)

    # -- several at once ------------------------------------------------------------------------------------------

    def select(self, *promises: Any) -> c.Select:
        """Wait for the first of several promises; yields ``(index, value)``. The choice is recorded."""
        return c.Select(self.next_id(), promises)

    def gather(self, *items: Any, return_exceptions: bool = False, limit: int | None = None) -> c.Gather:
        """Begin what is not begun and wait for all; yields the values in argument order, raises the first error."""
        return c.Gather(self.next_id(), items, return_exceptions=return_exceptions, limit=limit)

    # -- messages -------------------------------------------------------------------------------------------------

    def wait_until(self, predicate: Callable[[], Any], timeout: float | dt.timedelta | None = None) -> c.WaitUntil:
        """Wait until a condition on the execution's state is true; handlers run between.

        Yields:
            None; ``TimeoutError`` is raised when the time is over first.
        """
        limit = None if timeout is None else seconds(timeout, "wait_until timeout")
        return c.WaitUntil(self.next_id(), predicate, limit)

    def drain(self) -> c.Drain:
        """Let the handlers of all messages that have arrived run now; yields how many there were."""
        return c.Drain(self.next_id())

    def all_handlers_finished(self) -> bool:
        """Say whether every handler that has begun is done; also a condition for ``wait_until``."""
        return self._execution.handlers_running == 0

    def recv(self, topic: str | None = None, timeout: float | dt.timedelta | None = None) -> c.Receive:
        """Take the next message of a topic; yields it, or None when the time is over first."""
        return c.Receive(self.next_id(), topic, None if timeout is None else seconds(timeout, "recv timeout"))

    def send(self, id: str | Promise, message: Any, topic: str | None = None) -> c.Post:
        """Send a message to an execution, once; it takes it with ``recv``."""
        return c.Post(self.next_id(), id, {"kind": "send", "topic": topic, "args": [message]})

    def signal(self, id: str | Promise, name: Any, *args: Any) -> c.Post:
        """Signal an execution, once: its handler of this name is called."""
        return c.Post(self.next_id(), id, {"kind": "signal", "topic": handler_name(name), "args": list(args)})

    def cancel(self, what: str | Promise, reason: str = "") -> c.Cancellation:
        """Cancel a promise of this execution, or ask another execution to cancel."""
        return c.Cancellation(self.next_id(), what, {"kind": "cancel", "args": [reason or f"cancelled by {self.id}"]})

    def set_event(self, key: str, value: Any) -> c.SetEvent:
        """Publish a value under a key; the newest one counts."""
        return c.SetEvent(self.next_id(), key, value)

    def get_event(self, id: str, key: str, timeout: float | dt.timedelta | None = None) -> c.GetEvent:
        """Read what another execution published; waits for it; yields None when the time is over first."""
        limit = None if timeout is None else seconds(timeout, "get_event timeout")
        return c.GetEvent(self.next_id(), id, key, limit)

    # -- leaving --------------------------------------------------------------------------------------------------

    def continue_as_new(self, *args: Any, **kwargs: Any) -> c.Continue:
        """Leave through ``finally`` and start over with new arguments and an empty history; never returns."""
        return c.Continue(self.next_id(), args, kwargs)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Deliver no cancellation to this function inside the block; it comes at the first yield after it."""
        branch = self._execution.branch_of(self)
        branch.shield_depth += 1
        try:
            yield
        finally:
            branch.shield_depth -= 1

    def __repr__(self) -> str:
        return f"<Context {self.id}>"


class DurableTime:
    """The SDK's ``ctx.time``: each reading is a durable step."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def time(self) -> c.Call:
        """Seconds since the epoch, on the worker's clock."""
        now_ms = self._context.execution.env.now_ms

        def time() -> float:
            return now_ms() / 1000

        return self._context.run(self._source("time", time))

    def strftime(self, format: str) -> c.Call:
        """Local time as text."""
        return self._context.run(self._source("strftime", _time.strftime), format)

    def _source(self, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
        source = self._context.get_dependency("resonate:time")
        return default if source is None else getattr(source, name)


class DurableRandom:
    """The SDK's ``ctx.random``: each draw is a durable step."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Callable[..., c.Call]:
        if name not in _DRAWS:
            raise AttributeError(f"ctx.random has no {name!r}; it has: {', '.join(sorted(_DRAWS))}")
        source = self._context.get_dependency("resonate:random", _random)
        return lambda *args: self._context.run(getattr(source, name), *args)


_DRAWS = frozenset(
    ("betavariate", "choice", "expovariate", "getrandbits", "randint", "random", "randrange", "triangular")
)
