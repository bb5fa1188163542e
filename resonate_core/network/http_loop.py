"""A thread with an event loop of its own: where everything asynchronous of an HTTP connection lives."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")
_log = logging.getLogger(__name__)


class LoopThread:
    """Runs coroutines for threads that know nothing of them.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    def call(self, function: Callable[[], Any]) -> bool:
        """Call something on the loop, from any thread; False if the loop has ended."""
        try:
            self.loop.call_soon_threadsafe(function)
        except RuntimeError:
            return False
        return True

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task and keep it; only on the loop."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a task of the connection failed", exc_info=task.exception())

    def stop(self, closing: Callable[[], Coroutine[Any, Any, None]], *, grace_s: float) -> None:
        """Give tasks some seconds to end, cancel the rest, carry out ``closing``, end the thread."""
        if not self._thread.is_alive():
            return
        self.call(lambda: self.loop.create_task(self._wind_up(closing, grace_s)))
        if threading.current_thread() is not self._thread:
            self._thread.join()

    async def _wind_up(self, closing: Callable[[], Coroutine[Any, Any, None]], grace_s: float) -> None:
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=grace_s)
            remaining = list(self._tasks)
            for task in remaining:
                task.cancel()
            await asyncio.gather(*remaining, return_exceptions=True)
            await closing()
        finally:
            self.loop.stop()
