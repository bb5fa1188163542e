"""The engine behind a ``Resonate``: network, worker and step runner, opened when they are first needed.

All views of one client (``options(...)`` makes them) share one engine.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from resonate_core.client.builtins import register_builtins
from resonate_core.client.mailbox import Mailboxes
from resonate_core.client.operations import drive, drive_apart
from resonate_core.errors import StoppedError, UsageError
from resonate_core.network.open import as_network, open_network
from resonate_core.registry import Registry
from resonate_core.scheduler.environment import Environment
from resonate_core.telemetry import Telemetry
from resonate_core.worker.steps import StepRunner
from resonate_core.worker.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.client.operations import Operation
    from resonate_core.client.settings import Settings
    from resonate_core.network.port import Network
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Request, Response

T = TypeVar("T")
_logger = logging.getLogger("resonate_core")


class Engine:
    """Opens and closes what a client needs. Thread-safe."""

    #: Without threads: somebody takes the turns, see ``resonate_core.testing``.
    is_inline = False

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry()
        self.dependencies: dict[str, Any] = dict(settings.dependencies)
        self.env = Environment(
            settings.codec(),
            self.registry,
            now_ms=settings.clock.now_ms,
            address=self._address,
            dependencies=self.dependencies,
        )
        self._lock = threading.RLock()
        self._network: Network | None = None
        self._worker: Worker | None = None
        self._runner: StepRunner | None = None
        self._is_worker = False
        self._is_stopped = False
        self._open: weakref.WeakSet[Future[Any]] = weakref.WeakSet()
        self._mailboxes = Mailboxes()

    # -- life ----------------------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The connection; opened on first use."""
        self._ensure(is_worker=False, loop=None)
        assert self._network is not None
        return self._network

    @property
    def worker(self) -> Worker:
        """The thread that advances executions; it also waits for the client's messages."""
        self._ensure(is_worker=False, loop=None)
        assert self._worker is not None
        return self._worker

    @property
    def is_worker(self) -> bool:
        """Whether this process takes tasks."""
        return self._is_worker

    @property
    def is_open(self) -> bool:
        """Whether the connection has been opened."""
        return self._worker is not None

    def open(self) -> None:
        """Open the connection, without becoming a worker."""
        self._ensure(is_worker=False, loop=None)

    @property
    def runner(self) -> StepRunner:
        """What runs steps."""
        self._ensure(is_worker=False, loop=None)
        assert self._runner is not None
        return self._runner

    def turn(self) -> bool:
        """Take a turn of an engine without threads; return whether anything was done."""
        return False

    def next_due_ms(self) -> int | None:
        """Return milliseconds until an engine without threads has something to do; None if never."""
        return None

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Become a worker: take tasks of the group and run what is registered."""
        self._ensure(is_worker=True, loop=loop)

    def _ensure(self, *, is_worker: bool, loop: asyncio.AbstractEventLoop | None) -> None:
        if self._worker is not None and (self._is_worker or not is_worker):
            return
        with self._lock:
            if self._is_stopped:
                raise StoppedError("this Resonate was stopped; make a new one")
            if self._worker is None:
                self._open_all()
            if is_worker and not self._is_worker:
                self._become_worker(loop)

    def _open_network(self) -> Network:
        settings = self.settings
        if settings.network is not None:
            return as_network(settings.network, group=settings.group, pid=settings.pid, clock=settings.clock)
        return open_network(
            settings.url,
            group=settings.group,
            pid=settings.pid,
            clock=settings.clock,
            synchronous=settings.synchronous,
            token=settings.token,
        )

    def _open_all(self) -> None:
        settings = self.settings
        network = self._open_network()
        runner = StepRunner(max_threads=settings.max_threads, clock=settings.clock, inline=self.is_inline)
        worker = Worker(
            self.env,
            network,
            runner,
            settings.clock,
            ttl_ms=settings.ttl_ms,
            threaded=not self.is_inline,
            telemetry=None if settings.tracer is None else Telemetry(settings.tracer),
            fails_on_mismatch=settings.on_mismatch == "fail",
        )
        network.start(worker.on_message, is_worker=False)
        worker.start()
        self._network, self._runner, self._worker = network, runner, worker

    def _become_worker(self, loop: asyncio.AbstractEventLoop | None) -> None:
        assert self._network is not None
        assert self._worker is not None
        assert self._runner is not None
        self._is_worker = True
        register_builtins(self)
        if loop is not None:
            self._runner.use_loop(loop)
        self._network.start(self._worker.on_message, is_worker=True, lease=self._worker.lease)
        _logger.info("worker %s of group %r is ready (%s)", self._network.pid, self._network.group, self.settings.url)

    def stop(self, timeout_s: float) -> None:
        """End the worker gracefully; whoever still waits for a result is told."""
        with self._lock:
            if self._is_stopped:
                return
            self._is_stopped = True
        if self._worker is not None and self._runner is not None and self._network is not None:
            self._worker.stop(timeout_s)
            self._runner.stop()
            self._network.stop()
        for future in list(self._open):
            if not future.done() and future.set_running_or_notify_cancel():
                future.set_exception(
                    StoppedError("the client was stopped while the result was awaited; it goes on elsewhere")
                )

    @property
    def is_stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._is_stopped

    def _address(self, target: str | None) -> str:
        return self.network.anycast if target is None else self.network.address(target)

    # -- work ----------------------------------------------------------------------------------------------------

    def submit(self, requests: list[Request], then: Callable[[list[Response]], None]) -> None:
        """Send requests; ``then`` is called on a thread of the network."""
        self.network.submit(requests, then)

    def drive(self, operation: Operation[T]) -> Future[T]:
        """Run an operation."""
        return drive(self.submit, operation)

    def drive_apart(self, operation: Operation[T]) -> Future[T]:
        """Run an operation that executes users' code; an engine without threads has its turns for that."""
        return self.drive(operation) if self.is_inline else drive_apart(self.submit, operation)

    def settled(self, promise_id: str) -> Future[PromiseRecord]:
        """Return a future for the settled record of a promise."""
        future: Future[PromiseRecord] = Future()
        network = self.network

        def told(record: PromiseRecord) -> None:
            if not future.done() and future.set_running_or_notify_cancel():
                future.set_result(record)

        def forget(done: Future[PromiseRecord]) -> None:
            if done.cancelled():
                network.unwatch(promise_id, told)

        self._open.add(future)
        future.add_done_callback(forget)
        network.watch(promise_id, told)
        return future

    async def awaited(self, future: Future[T], timeout: float | None = None) -> T:
        """Await a future; whoever gives up, or is cancelled, leaves it to others.

        Raises:
            TimeoutError: the time was over first; nothing is lost, ask again.
        """
        if not future.done():
            waiting = self._mailboxes.here().expect(future)
            await (waiting if timeout is None else asyncio.wait_for(waiting, timeout))
        return future.result()

    def wait(self, future: Future[T], timeout: float | None = None) -> T:
        """Block until a future is done.

        Raises:
            UsageError: called from a durable function, where it would stop everything.
            TimeoutError: the time was over first; nothing is lost, ask again.
        """
        worker = self._worker
        if worker is not None and worker.is_current_thread and not future.done():
            raise UsageError("a blocking call inside a durable function stops everything; yield ctx.rpc(...) instead")
        try:
            return future.result(timeout)
        except TimeoutError:
            if future.done():
                raise
            raise TimeoutError(f"no result within {timeout} s; it goes on, ask again") from None
