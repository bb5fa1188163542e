"""News for an event loop from other threads.

Waking a loop is a system call and hands it the interpreter. Hundreds of results that come with one commit wake it once:
the first one posts the box, the others lie in it.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Future


class Mailbox:
    """What one event loop is to be told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)  # the loop is the key under which the box is kept
        self._done: deque[asyncio.Future[None]] = deque()
        self._is_posted = False

    def expect(self, future: Future[Any]) -> asyncio.Future[None]:
        """Return a future of the loop that is done as soon as ``future`` is; cancelling it cancels nothing else."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()

        def told(_: Future[Any]) -> None:
            self._done.append(waiting)
            if not self._is_posted:
                self._is_posted = True
                self._post()

        future.add_done_callback(told)
        return waiting

    def _post(self) -> None:
        loop = self._loop()
        if loop is None or loop.is_closed():
            return  # nobody waits there any more
        try:
            loop.call_soon_threadsafe(self._empty)
        except RuntimeError:  # closed in between
            return

    def _empty(self) -> None:
        self._is_posted = False  # first: what comes from now on posts again
        while self._done:
            waiting = self._done.popleft()
            if not waiting.done():
                waiting.set_result(None)


class Mailboxes:
    """One box for each event loop that waits for something."""

    def __init__(self) -> None:
        self._boxes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Mailbox] = weakref.WeakKeyDictionary()

    def here(self) -> Mailbox:
        """Return the box of the running loop."""
        loop = asyncio.get_running_loop()
        box = self._boxes.get(loop)
        if box is None:
            box = self._boxes[loop] = Mailbox(loop)
        return box
