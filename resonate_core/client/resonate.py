"""``Resonate``: client and worker in one object. ``resonate.aio`` has the same names for async code."""

from __future__ import annotations

import inspect
import os
import signal as _signals
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from resonate_core.client.calls import Calls
from resonate_core.client.engine import Engine
from resonate_core.client.function import Function
from resonate_core.client.messages import Messages, signal_message
from resonate_core.client.promises import Promises
from resonate_core.client.schedules import Schedules
from resonate_core.client.settings import (
    DEFAULT_SERVER_URL,
    URL_VARIABLE,
    Settings,
    checked_ttl_ms,
    chosen_token,
    chosen_url,
    one_of,
)
from resonate_core.errors import UsageError
from resonate_core.limits import STOP_GRACE_S
from resonate_core.marks import all_marked, durable_mark, step_mark
from resonate_core.options import CallOptions
from resonate_core.registry import describe as describe_thing

if TYPE_CHECKING:
    from datetime import timedelta

    from resonate_core.client.aio import AsyncResonate
    from resonate_core.client.describe import Description
    from resonate_core.client.handle import Handle
    from resonate_core.client.tree import Node
    from resonate_core.clock import Clock
    from resonate_core.codec import Encryptor
    from resonate_core.network.connector import Connector
    from resonate_core.network.port import Network
    from resonate_core.queues.queue import Queue
    from resonate_core.recurring import Cron

F = TypeVar("F", bound=Callable[..., Any])
_EXECUTION_OPTIONS = frozenset(
    ("timeout", "tags", "target", "version", "retry_policy", "if_exists", "encoder", "idempotency_key",
     "attempt_timeout", "heartbeat_timeout", "errors", "non_retryable_exceptions",
     "delay", "queue", "priority", "partition")
)  # fmt: skip


class Resonate:
    """Starts durable functions, waits for them, talks to them; and runs them, once started as a worker.

    Args:
        url: ``memory:``, ``sqlite:///relative.db``, ``sqlite:////absolute.db``, a server's ``http://host:8001``, or
            ``postgres://...`` and ``nats://...`` with ``resonate-pg`` and ``resonate-nats`` installed; without one
            ``RESONATE_URL``, else ``sqlite:///resonate.db``.
        group: workers of one group share the tasks that are sent to it.
        pid: name of this process among them; unique, made up if left out.
        ttl: seconds after which the tasks of a dead worker are taken over by others.
        dependencies: what ``ctx.get_dependency(name)`` finds.
        encryptor: seals everything that is stored, see ``AesGcmEncryptor``.
        network: a connection of your own, instead of ``url``: a connector of ``resonate_base`` such as
            ``resonate_pg.PostgresConnection``, made for the same group; it is started and stopped with this client.
        synchronous: ``FULL`` survives a power cut, ``NORMAL`` a killed process (SQLite).
        max_threads: plain steps that run at the same time.
        on_mismatch: an execution whose recorded steps do not fit the code any more ``wait``s for code that fits, or
            ``fail``s with ``NondeterminismError``.
        tracer: of OpenTelemetry, to make spans of steps and executions.
        clock: source of time, for tests.
        token: shown to a server; without one ``RESONATE_TOKEN``.

    Raises:
        UsageError: a setting that cannot be.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        group: str = "default",
        pid: str | None = None,
        ttl: float | timedelta = 10,
        dependencies: Mapping[str, Any] | None = None,
        encryptor: Encryptor | None = None,
        network: Network | Connector | None = None,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        max_threads: int = 256,
        on_mismatch: Literal["wait", "fail"] = "wait",
        tracer: Any = None,
        clock: Clock | None = None,
        token: str | None = None,
    ) -> None:
        self._engine = Engine(
            Settings(
                url="" if network is not None else chosen_url(url),
                group=group,
                pid=pid,
                ttl_ms=checked_ttl_ms(ttl),
                dependencies=dict(dependencies or {}),
                encryptor=encryptor,
                network=network,
                **({} if clock is None else {"clock": clock}),
                synchronous=one_of("synchronous", synchronous, ("FULL", "NORMAL")),
                max_threads=max_threads,
                tracer=tracer,
                on_mismatch=one_of("on_mismatch", on_mismatch, ("wait", "fail")),
                token=chosen_token(token),
            )
        )
        self._options = CallOptions()

    @classmethod
    def local(cls, **settings: Any) -> Resonate:
        """Make a client whose store lives and dies with this process."""
        return cls("memory:", **settings)

    @classmethod
    def remote(cls, url: str | None = None, **settings: Any) -> Resonate:
        """Make a client of a server; without a URL that of ``RESONATE_URL``, else ``http://localhost:8001``."""
        return cls(url or os.environ.get(URL_VARIABLE) or DEFAULT_SERVER_URL, **settings)

    @property
    def aio(self) -> AsyncResonate:
        """The same names as coroutines."""
        from resonate_core.client.aio import AsyncResonate  # noqa: PLC0415 - the two faces know each other

        return AsyncResonate(self)

    # -- what can be run ------------------------------------------------------------------------------------------

    @overload
    def register(self, *, name: str | None = None, version: int | None = None) -> Callable[[F], Function]: ...
    @overload
    def register(self, *things: Any, name: str | None = None, version: int | None = None) -> Any: ...
    def register(self, *things: Any, name: str | None = None, version: int | None = None) -> Any:
        """Register functions, durable classes, bound methods and modules; also a decorator, with or without arguments.

        Returns:
            For one function a ``Function``, which can be called like it; else None.

        Raises:
            AlreadyRegisteredError: something else has the name and version.
            UsageError: what cannot be registered.
        """
        if not things:
            return lambda thing: self.register(thing, name=name, version=version)
        if name is not None and len(things) > 1:
            raise UsageError(f"name={name!r} fits one thing, got {len(things)}; register them one by one")
        for thing in things:
            if isinstance(thing, types.ModuleType):
                self.register(*_marked_in(thing))
            else:
                self._register_one(thing, name, version)
        first = things[0]
        is_function = len(things) == 1 and not inspect.isclass(first) and not isinstance(first, types.ModuleType)
        return Function(self, _bare(first), name, version) if is_function else None

    def _register_one(self, thing: Any, name: str | None, version: int | None) -> None:
        self._engine.registry.add(describe_thing(_bare(thing), name=name, version=version))

    def register_all(self) -> None:
        """Register everything marked with ``@durable`` or ``@step`` in modules imported so far."""
        self.register(*[thing for thing in all_marked() if not _is_inner(thing) and not _is_ours(thing)])

    def set_dependency(self, name: str, value: Any) -> None:
        """Store what ``ctx.get_dependency(name)`` gives."""
        if not isinstance(name, str):
            raise UsageError(f"a dependency's name must be text, got {name!r}")
        self._engine.dependencies[name] = value

    def options(self, **changes: Any) -> Resonate:
        """Return a view of this client whose calls have these options.

        Args:
            changes: ``timeout``, ``tags``, ``target``, ``version``, ``retry_policy``, ``if_exists``, ``delay``; of an
                enqueued one also ``priority`` and ``partition``.

        Raises:
            UsageError: an unknown option, or a value that it cannot take.
        """
        unknown = sorted(set(changes) - _EXECUTION_OPTIONS)
        if unknown:
            known = ", ".join(sorted(_EXECUTION_OPTIONS))
            raise UsageError(f"unknown option {unknown[0]!r} of a start; known are: {known}")
        view = object.__new__(Resonate)
        view._engine = self._engine
        view._options = self._options.merged(changes)
        return view

    # -- starting and waiting -------------------------------------------------------------------------------------

    @property
    def _calls(self) -> Calls:
        return Calls(self._engine, self._options)

    def run(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run a registered function in this process and wait for its result."""
        return self.begin_run(id, function, *args, **kwargs).result()

    def begin_run(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin a registered function in this process; if the process dies, another worker of the group goes on."""
        self._engine.start()
        return self._engine.wait(self._calls.begin(id, function, args, kwargs, here=True))

    def rpc(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run a function, or a name, on any worker of the target group and wait for its result."""
        return self.begin_rpc(id, function, *args, **kwargs).result()

    def begin_rpc(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin a function, or a name, on any worker of the target group."""
        self._start_if_registered()
        return self._engine.wait(self._calls.begin(id, function, args, kwargs, here=False))

    def enqueue(self, queue: Queue | str, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin a function, or a name, when its turn in a queue comes."""
        return self.options(queue=queue).begin_rpc(id, function, *args, **kwargs)

    def signal_with_start(
        self, id: str, name: Any, signal_args: Sequence[Any], function: Any, /, *args: Any, **kwargs: Any
    ) -> Handle[Any]:
        """Send a signal to an execution that runs, or begin a function with the signal as its first message.

        Both are one step: there is never an execution without its signal. One that has finished is started again.
        """
        self._start_if_registered()
        message = signal_message(name, signal_args)
        return self._engine.wait(self._calls.signal_with_start(id, message, function, args, kwargs))

    def get(self, id: str) -> Handle[Any]:
        """Return the handle of an execution or promise.

        Raises:
            NotFoundError: there is none of this id.
        """
        self._start_if_registered()
        return self._engine.wait(self._calls.get(id))

    def _start_if_registered(self) -> None:
        """A program that has registered something serves it, as in the generator SDK."""
        if self._engine.registry.names():
            self._engine.start()

    def list(
        self, *, state: str | None = None, tags: Mapping[str, str] | None = None, limit: int | None = None
    ) -> list[Description]:
        """List executions by state and tags, ordered by id."""
        return self._engine.wait(self._calls.list(state, tags or {}, limit))

    # -- talking --------------------------------------------------------------------------------------------------

    @property
    def _messages(self) -> Messages:
        return Messages(self._engine)

    def signal(self, id: str, name: Any, *args: Any) -> None:
        """Call the signal handler of an execution, once; returns when the message is durable."""
        self._engine.wait(self._messages.signal(id, name, args))

    def send(self, id: str, message: Any, topic: str | None = None, *, idempotency_key: str | None = None) -> None:
        """Send a message that an execution takes with ``recv``; the same key again changes nothing."""
        self._engine.wait(self._messages.send(id, message, topic, idempotency_key))

    def update(self, id: str, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Call the update handler of an execution and wait for its answer."""
        return self._engine.wait(self._messages.update(id, name, args), timeout)

    def query(self, id: str, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Read state with the query handler of an execution, running or finished."""
        return self._engine.wait(self._messages.query(id, name, args), timeout)

    def get_event(self, id: str, key: str, timeout: float | None = None) -> Any:
        """Return what an execution published under a key; None when the time is over first."""
        return self._engine.wait(self._messages.get_event(id, key, timeout))

    def cancel(self, id: str, reason: str = "") -> None:
        """Ask an execution to cancel; its clean-up runs."""
        self._engine.wait(self._messages.cancel(id, reason))

    def terminate(self, id: str, reason: str = "") -> None:
        """End an execution from outside, without clean-up."""
        self._engine.wait(self._messages.terminate(id, reason))

    def describe(self, id: str) -> Description:
        """Say what is known about an execution."""
        return self._engine.wait(self._messages.describe(id))

    def tree(self, id: str) -> Node:
        """Return what an execution has called, and what came of it."""
        return self._engine.wait(self._calls.tree(id))

    @property
    def promises(self) -> Promises:
        """Promises as such: create, get, resolve, reject, cancel, search."""
        return Promises(self._engine)

    @property
    def schedules(self) -> Schedules:
        """Schedules as such: create, get, delete, search."""
        return Schedules(self._engine)

    def schedule(self, name: str, cron: str | Cron, function: Any, /, *args: Any, **kwargs: Any) -> None:
        """Start a function at every tick, one execution a tick over all processes; the same again changes nothing.

        Cron text is UTC and misses nothing; ``Cron(...)`` says time zone, overlap and catch-up.
        """
        self._start_if_registered()
        self._engine.wait(self._calls.schedule(name, cron, function, args, kwargs))

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Become a worker: run what is registered, also what other processes start or have left."""
        self._engine.start()

    def stop(self, timeout: float = STOP_GRACE_S) -> None:
        """Take nothing new, let running steps end within some seconds, give the rest back to the group."""
        self._engine.stop(timeout)

    def serve(self) -> None:
        """Start, block until SIGINT or SIGTERM, stop gracefully."""
        self.start()
        done = threading.Event()
        with _stopping_on_signals(done):
            while not done.wait(_WAKE_S) and not self._engine.is_stopped:
                pass  # a bare wait() without a limit would not let signals through on every platform
        self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.aio.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aio.stop()


#: How often ``serve`` looks up.
_WAKE_S = 0.5


class _stopping_on_signals:  # noqa: N801 - a context manager that reads as a phrase
    """Sets an event on SIGINT and SIGTERM, while it is open, if this is the main thread."""

    def __init__(self, done: threading.Event) -> None:
        self._done = done
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (_signals.SIGINT, _signals.SIGTERM):
                self._before[number] = _signals.signal(number, lambda *_: self._done.set())

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            _signals.signal(number, handler)


def _bare(thing: Any) -> Any:
    return thing.func if isinstance(thing, Function) else thing


def _is_inner(thing: Any) -> bool:
    """Whether a marked thing is defined in a class or function: there may be many of it, each registered by hand."""
    return "." in getattr(thing, "__qualname__", "")


def _is_ours(thing: Any) -> bool:
    """Whether the runtime itself defines it: a worker registers what it needs of these when it starts."""
    return str(getattr(thing, "__module__", "")).partition(".")[0] == __package__.partition(".")[0]


def _marked_in(module: types.ModuleType) -> list[Any]:
    """Return what a module itself defines with a mark."""
    found = [
        thing
        for thing in vars(module).values()
        if (durable_mark(thing) or step_mark(thing)) and getattr(thing, "__module__", None) == module.__name__
    ]
    if not found:
        raise UsageError(f"module {module.__name__} defines nothing marked with @durable or @step")
    return list(dict.fromkeys(found))
