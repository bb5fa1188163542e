"""``resonate.aio``: every name of ``Resonate`` as a coroutine. Nothing here blocks the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from resonate_core.client.messages import signal_message
from resonate_core.client.stop_signals import set_by_signals
from resonate_core.limits import STOP_GRACE_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resonate_core.client.describe import Description
    from resonate_core.client.handle import Handle
    from resonate_core.client.resonate import Resonate
    from resonate_core.client.tree import Node
    from resonate_core.queues.queue import Queue
    from resonate_core.recurring import Cron


class AsyncResonate:
    """The async face of a ``Resonate``. Async steps run on the loop that called ``start`` or ``serve``."""

    def __init__(self, client: Resonate) -> None:
        self._client = client
        self._engine = client._engine  # noqa: SLF001 - two faces of one object

    # -- starting and waiting -------------------------------------------------------------------------------------

    async def run(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run a registered function in this process and wait for its result."""
        return await (await self.begin_run(id, function, *args, **kwargs))

    async def begin_run(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin a registered function in this process."""
        await self.start()
        return await self._engine.awaited(self._calls.begin(id, function, args, kwargs, here=True))

    async def rpc(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run a function, or a name, on any worker of the target group and wait for its result."""
        return await (await self.begin_rpc(id, function, *args, **kwargs))

    async def begin_rpc(self, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin a function, or a name, on any worker of the target group."""
        await self._open()
        return await self._engine.awaited(self._calls.begin(id, function, args, kwargs, here=False))

    async def enqueue(self, queue: Queue | str, id: str, function: Any, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin a function, or a name, when its turn in a queue comes."""
        return await self._client.options(queue=queue).aio.begin_rpc(id, function, *args, **kwargs)

    async def signal_with_start(
        self, id: str, name: Any, signal_args: Sequence[Any], function: Any, /, *args: Any, **kwargs: Any
    ) -> Handle[Any]:
        """Send a signal to an execution that runs, or begin a function with the signal as its first message."""
        await self._open()
        message = signal_message(name, signal_args)
        return await self._engine.awaited(self._calls.signal_with_start(id, message, function, args, kwargs))

    async def get(self, id: str) -> Handle[Any]:
        """Return the handle of an execution or promise."""
        await self._open()
        return await self._engine.awaited(self._calls.get(id))

    async def list(
        self, *, state: str | None = None, tags: Mapping[str, str] | None = None, limit: int | None = None
    ) -> list[Description]:
        """List executions by state and tags, ordered by id."""
        await self._open()
        return await self._engine.awaited(self._calls.list(state, tags or {}, limit))

    async def schedule(self, name: str, cron: str | Cron, function: Any, /, *args: Any, **kwargs: Any) -> None:
        """Start a function at every tick of a cron expression."""
        await self._open()
        await self._engine.awaited(self._calls.schedule(name, cron, function, args, kwargs))

    # -- talking --------------------------------------------------------------------------------------------------

    async def signal(self, id: str, name: Any, *args: Any) -> None:
        """Call the signal handler of an execution, once."""
        await self._open()
        await self._engine.awaited(self._messages.signal(id, name, args))

    async def send(
        self,
        id: str,
        message: Any,
        topic: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Send a message that an execution takes with ``recv``."""
        await self._open()
        await self._engine.awaited(self._messages.send(id, message, topic, idempotency_key))

    async def update(self, id: str, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Call the update handler of an execution and wait for its answer."""
        await self._open()
        return await self._engine.awaited(self._messages.update(id, name, args), timeout)

    async def query(self, id: str, name: Any, *args: Any, timeout: float | None = None) -> Any:
        """Read state with the query handler of an execution."""
        await self._open()
        return await self._engine.awaited(self._messages.query(id, name, args), timeout)

    async def get_event(self, id: str, key: str, timeout: float | None = None) -> Any:
        """Return what an execution published under a key; None when the time is over first."""
        await self._open()
        return await self._engine.awaited(self._messages.get_event(id, key, timeout))

    async def cancel(self, id: str, reason: str = "") -> None:
        """Ask an execution to cancel; its clean-up runs."""
        await self._open()
        await self._engine.awaited(self._messages.cancel(id, reason))

    async def terminate(self, id: str, reason: str = "") -> None:
        """End an execution from outside, without clean-up."""
        await self._open()
        await self._engine.awaited(self._messages.terminate(id, reason))

    async def describe(self, id: str) -> Description:
        """Say what is known about an execution."""
        await self._open()
        return await self._engine.awaited(self._messages.describe(id))

    async def tree(self, id: str) -> Node:
        """Return what an execution has called, and what came of it."""
        await self._open()
        return await self._engine.awaited(self._calls.tree(id))

    # -- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Become a worker; async steps run on this event loop."""
        if self._engine.is_worker and not self._engine.is_stopped:
            return
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._engine.start, loop)

    async def stop(self, timeout: float = STOP_GRACE_S) -> None:
        """Take nothing new, let running steps end within some seconds, give the rest back to the group."""
        await asyncio.get_running_loop().run_in_executor(None, self._engine.stop, timeout)

    async def serve(self) -> None:
        """Start, wait until SIGINT or SIGTERM or until cancelled, stop gracefully."""
        await self.start()
        done = asyncio.Event()
        try:
            with set_by_signals(done, asyncio.get_running_loop()):
                await done.wait()
        finally:
            await asyncio.shield(self.stop())

    async def __aenter__(self) -> Resonate:
        await self.start()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- the rest -------------------------------------------------------------------------------------------------

    @property
    def _calls(self) -> Any:
        return self._client._calls  # noqa: SLF001

    @property
    def _messages(self) -> Any:
        return self._client._messages  # noqa: SLF001

    async def _open(self) -> None:
        """Open the store outside the event loop; a program that has registered something serves it."""
        if self._engine.is_open:
            return
        loop = asyncio.get_running_loop()
        if self._engine.registry.names():
            await loop.run_in_executor(None, self._engine.start, loop)
        else:
            await loop.run_in_executor(None, self._engine.open)
