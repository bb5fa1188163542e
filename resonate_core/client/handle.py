"""``Handle``: a started execution, for whoever waits for it or talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from resonate_core.errors import CanceledError, TimedOutError

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from resonate_core.client.describe import Description
    from resonate_core.client.engine import Engine
    from resonate_core.client.messages import Messages
    from resonate_core.protocol.records import PromiseRecord

T = TypeVar("T")


def outcome(engine: Engine, record: PromiseRecord, hint: Any, name: str) -> Any:
    """Return the value of a settled execution, or raise how it failed."""
    codec = engine.env.codec
    if record.state == "resolved":
        return codec.decode_value(record.value, hint)
    if record.state == "rejected":
        raise codec.decode_error(record.value)
    what = f"{name} ({record.id})" if name else record.id
    if record.state == "rejected_timedout":
        raise TimedOutError(f"{what} was not finished before its deadline")
    reason = str(codec.decode_error(record.value)) if record.value.data else ""
    raise CanceledError(f"{what} was canceled" + (reason and f": {reason}"))


class Handle(Generic[T]):
    """A started execution. ``result()`` blocks, ``await handle`` does not; ``handle.aio`` has all names as coroutines.

    Attributes:
        id: id as its starter chose it.
        promise_id: durable promise of this generation of it.
    """

    def __init__(self, engine: Engine, id: str, promise_id: str, *, hint: Any = Any, name: str = "") -> None:
        self.id = id
        self.promise_id = promise_id
        self._engine = engine
        self._hint = hint
        self._name = name
        self._settled: Future[PromiseRecord] | None = None

    @property
    def aio(self) -> AsyncHandle[T]:
        """The same names as coroutines."""
        return AsyncHandle(self)

    @property
    def _record(self) -> Future[PromiseRecord]:
        if self._settled is None or self._settled.cancelled():
            self._settled = self._engine.settled(self.promise_id)
        return self._settled

    def done(self) -> bool:
        """Whether the result is known here."""
        return self._record.done()

    def result(self, timeout: float | None = None) -> T:
        """Wait for the result; seconds. Raises what the execution raised, or ``TimeoutError`` when the time is over."""
        value: T = self._outcome(self._engine.wait(self._record, timeout))
        return value

    def _outcome(self, record: PromiseRecord) -> Any:
        return outcome(self._engine, record, self._hint, self._name)

    def __await__(self) -> Generator[Any, Any, T]:
        """Give the result to async code."""
        return self.aio.result().__await__()

    def signal(self, name: Any, *args: Any) -> None:
        """Call the signal handler of this name, once; returns when the message is durable."""
        self._engine.wait(self._messages.signal(self.id, name, args))

    def send(self, message: Any, topic: str | None = None) -> None:
        """Send a message that the execution takes with ``recv``."""
        self._engine.wait(self._messages.send(self.id, message, topic))

    def update(self, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Call the update handler of this name and wait for its answer."""
        return self._engine.wait(self._messages.update(self.id, name, args), timeout)

    def query(self, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Read state with the query handler of this name, also when the execution has finished."""
        return self._engine.wait(self._messages.query(self.id, name, args), timeout)

    def get_event(self, key: str, timeout: float | None = None) -> Any:
        """Return what the execution published under a key; None when the time is over first."""
        return self._engine.wait(self._messages.get_event(self.promise_id, key, timeout))

    def cancel(self, reason: str = "") -> None:
        """Ask it to cancel: ``Cancelled`` is thrown in at its next yield, clean-up runs."""
        self._engine.wait(self._messages.cancel(self.id, reason))

    def terminate(self, reason: str = "") -> None:
        """End it from outside, without clean-up."""
        self._engine.wait(self._messages.terminate(self.promise_id, reason))

    def describe(self) -> Description:
        """Say what is known about it."""
        return self._engine.wait(self._messages.describe(self.promise_id))

    @property
    def _messages(self) -> Messages:
        from resonate_core.client.messages import Messages  # noqa: PLC0415 - the two know each other

        return Messages(self._engine)

    def __repr__(self) -> str:
        return f"<Handle {self.id}>"


class AsyncHandle(Generic[T]):
    """The names of a ``Handle`` as coroutines."""

    def __init__(self, handle: Handle[T]) -> None:
        self._handle = handle
        self._engine = handle._engine  # noqa: SLF001 - two faces of one object
        self.id = handle.id
        self.promise_id = handle.promise_id

    def done(self) -> bool:
        """Whether the result is known here."""
        return self._handle.done()

    async def result(self, timeout: float | None = None) -> T:
        """Wait for the result; seconds."""
        handle = self._handle
        record = await self._engine.awaited(handle._record, timeout)  # noqa: SLF001 - two faces of one object
        value: T = handle._outcome(record)  # noqa: SLF001
        return value

    def __await__(self) -> Generator[Any, Any, T]:
        """Give the result."""
        return self.result().__await__()

    async def signal(self, name: Any, *args: Any) -> None:
        """Call the signal handler of this name, once; returns when the message is durable."""
        await self._engine.awaited(self._messages.signal(self.id, name, args))

    async def send(self, message: Any, topic: str | None = None) -> None:
        """Send a message that the execution takes with ``recv``."""
        await self._engine.awaited(self._messages.send(self.id, message, topic))

    async def update(self, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Call the update handler of this name and wait for its answer."""
        return await self._engine.awaited(self._messages.update(self.id, name, args), timeout)

    async def query(self, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Read state with the query handler of this name, also when the execution has finished."""
        return await self._engine.awaited(self._messages.query(self.id, name, args), timeout)

    async def get_event(self, key: str, timeout: float | None = None) -> Any:
        """Return what the execution published under a key; None when the time is over first."""
        return await self._engine.awaited(self._messages.get_event(self.promise_id, key, timeout))

    async def cancel(self, reason: str = "") -> None:
        """Ask it to cancel."""
        await self._engine.awaited(self._messages.cancel(self.id, reason))

    async def terminate(self, reason: str = "") -> None:
        """End it from outside, without clean-up."""
        await self._engine.awaited(self._messages.terminate(self.promise_id, reason))

    async def describe(self) -> Description:
        """Say what is known about it."""
        return await self._engine.awaited(self._messages.describe(self.promise_id))

    @property
    def _messages(self) -> Messages:
        return self._handle._messages  # noqa: SLF001
