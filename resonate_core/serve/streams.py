"""Open streams of messages, and the queue of each.

A process may connect twice, for example when it comes back before its old connection was noticed to be dead; messages
go to the newest stream. A full queue drops what comes: a lost ``execute`` is offered again, a lost ``unblock`` is asked
for again by whoever waits for it, so a client that reads slowly costs the server a bounded amount of memory.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from resonate_core.network.http_responses import message_data
from resonate_core.network.local_members import Member

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.local_server import LocalServer
    from resonate_core.protocol.requests import Message

_log = logging.getLogger(__name__)

Key = tuple[str, str]

#: Streams that are open at the same time, as on released servers.
STREAM_COUNT_MAX: Final = 1_000
#: Messages that wait for one reader: more than any burst of children, and bounded in memory by their bytes.
QUEUE_COUNT_MAX: Final = 10_000
QUEUE_BYTES_MAX: Final = 1024 * 1024


class Stream:
    """One connection of one process."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.dropped_count = 0
        self.is_ended = False
        self._queue: list[bytes] = []
        self._queue_bytes = 0
        self._news = asyncio.Event()

    def push(self, data: bytes) -> None:
        """Queue a message, or drop it if the reader is too slow; an empty queue takes a message of any size."""
        is_full = len(self._queue) >= QUEUE_COUNT_MAX or self._queue_bytes + len(data) > QUEUE_BYTES_MAX
        if is_full and self._queue:
            self.dropped_count += 1
            if self.dropped_count == 1:
                _log.warning("%s/%s reads too slowly, messages are dropped; they are repeated later", *self.key)
            return
        self._queue.append(data)
        self._queue_bytes += len(data)
        self._news.set()

    def end(self) -> None:
        """Let the reader finish what is queued, then close."""
        self.is_ended = True
        self._news.set()

    async def take(self) -> list[bytes]:
        """Wait for messages and return all that are queued; none when the stream has ended."""
        if not self._queue and not self.is_ended:
            self._news.clear()
            await self._news.wait()
        taken, self._queue, self._queue_bytes = self._queue, [], 0
        return taken


class Streams:
    """All streams of a server. Everything but ``_deliver`` runs on the loop.

    Args:
        server: where processes are announced.
        server_url: told to workers with each task.
    """

    def __init__(self, server: LocalServer, server_url: str) -> None:
        self._server = server
        self.server_url = server_url
        self._loop = asyncio.get_running_loop()
        self._open: dict[Key, list[Stream]] = {}
        self._count = 0
        self._attached: set[Key] = set()
        # Joining and leaving wait for the store; one thread keeps their order.
        self._order = ThreadPoolExecutor(1, thread_name_prefix="resonate-streams")

    @property
    def is_full(self) -> bool:
        """Whether no further stream is accepted."""
        return self._count >= STREAM_COUNT_MAX

    def open(self, group: str, pid: str) -> Stream:
        """Add a stream."""
        stream = Stream((group, pid))
        self._open.setdefault(stream.key, []).append(stream)
        self._count += 1
        self._order.submit(self._follow, stream.key)
        return stream

    def close(self, stream: Stream) -> None:
        """Remove a stream."""
        streams = self._open.get(stream.key)
        if streams is None or stream not in streams:
            return
        streams.remove(stream)
        self._count -= 1
        if not streams:
            del self._open[stream.key]
            self._order.submit(self._follow, stream.key)

    def end_all(self) -> None:
        """Tell all readers that no more comes."""
        for streams in self._open.values():
            for stream in streams:
                stream.end()

    def shut_down(self) -> None:
        """Wait until all have left the store."""
        self._order.shutdown()

    def _follow(self, key: Key) -> None:
        """Make the store know what is open now; a process that has come back meanwhile stays."""
        is_open = key in self._open
        if is_open and key not in self._attached:
            self._attached.add(key)
            group, pid = key
            self._server.attach(_member(group, pid, lambda message: self._deliver(key, message)))
        elif not is_open and key in self._attached:
            self._attached.discard(key)
            self._server.detach(*key)

    def _deliver(self, key: Key, message: Message) -> None:
        """Take a message; on the store's thread."""
        try:
            self._loop.call_soon_threadsafe(self._push, key, message)
        except RuntimeError:
            _log.debug("a message for %s/%s came after the end", *key)

    def _push(self, key: Key, message: Message) -> None:
        streams = self._open.get(key)
        if streams:
            streams[-1].push(message_data(message, self.server_url))


def _member(group: str, pid: str, on_message: Callable[[Message], None]) -> Member:
    return Member(group=group, pid=pid, is_worker=True, on_message=on_message)
