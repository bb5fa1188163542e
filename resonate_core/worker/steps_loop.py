"""Where coroutines run: on the program's own event loop, or on one loop of the runtime's own.

Clients and pools of a program are bound to its loop, so steps that use them must run there. Starts are handed over in
batches: waking a loop costs a system call, and one is enough for all that is waiting.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


_logger = logging.getLogger("resonate.step")


class StepLoop:
    """Calls functions on an event loop, from any thread.

    Args:
        loop: the program's loop; without one a private loop is started when it is first needed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._is_private = loop is None
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Callable[[], None], Callable[[], None]]] = deque()

    def call(self, function: Callable[[], None], on_gone: Callable[[], None]) -> None:
        """Call a function on the loop soon; if the loop is closed, call the other one here."""
        loop = self._loop or self._private()
        self._waiting.append((function, on_gone))
        if len(self._waiting) > 1:
            return  # whoever came first has woken the loop, and it takes all
        try:
            loop.call_soon_threadsafe(self._drain)
        except RuntimeError:
            self._give_up()

    def _give_up(self) -> None:
        while self._waiting:
            self._waiting.popleft()[1]()

    def stop(self) -> None:
        """End the private loop; a loop of the program is left alone."""
        with self._lock:
            if self._is_private and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._loop.stop)

    def _drain(self) -> None:
        waiting = self._waiting
        # The first element stays until the end of each round: while it is there, nobody else wakes the loop.
        while waiting:
            try:
                waiting[0][0]()
            except Exception:
                _logger.exception("a step could not be started on the event loop")
                waiting[0][1]()
            waiting.popleft()

    def _private(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve, args=(self._loop,), name="resonate-step-loop", daemon=True).start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        # Nobody waits for this thread, so a task that refuses to end holds up nothing.
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
