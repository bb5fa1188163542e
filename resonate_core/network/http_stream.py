"""The stream of messages from a server, opened again whenever it ends."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import aiohttp

from resonate_core.clock import jitter, monotonic_ms
from resonate_core.network.http_responses import read_message
from resonate_core.network.http_wire import EXTENSION_HEADER
from resonate_core.network.sse import EventParser

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.http_link import HttpLink
    from resonate_core.protocol.requests import Message

_log = logging.getLogger("resonate_core")

_FIRST_PAUSE_S: Final = 0.1
_PAUSE_S_MAX: Final = 10.0
#: A stream that held this long was a good one: the next pause is short again.
_GOOD_MS: Final = 5_000
#: Our own server says every 15 s that it lives. Others say nothing for hours; there the kernel asks for them.
_SILENCE_S: Final = 45.0
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class Stream:
    """Listens as one member of a group.

    Args:
        link: the server.
        group: with ``pid`` the address.
        pid: see ``group``.
        on_message: called on the loop for each message.
        on_open: called on the loop when a stream begins: what was said before it is lost.
    """

    def __init__(
        self, link: HttpLink, group: str, pid: str, on_message: Callable[[Message], None], on_open: Callable[[], None]
    ) -> None:
        self._link = link
        self._path = f"/poll/{quote(group, safe='')}/{quote(pid, safe='')}"
        self._on_message = on_message
        self._on_open = on_open
        self.is_open = False

    async def run(self) -> None:
        """Listen until cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            began_ms = monotonic_ms()
            problem = await self._listen_once()
            self.is_open = False
            if monotonic_ms() - began_ms > _GOOD_MS:
                pause_s = _FIRST_PAUSE_S
            _log.log(
                logging.WARNING if pause_s > 1 else logging.INFO,
                "the stream of messages from %s ended (%s); opening it again in about %.1f s",
                self._link.url,
                problem,
                pause_s,
            )
            await asyncio.sleep(pause_s * jitter(0.5, 1.0))
            pause_s = min(pause_s * 2, _PAUSE_S_MAX)

    async def _listen_once(self) -> str:
        """Listen to one stream; return why it ended."""
        headers = {**self._link.headers, "Accept": "text/event-stream"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=None)
        try:
            async with self._link.session.get(
                self._link.url + self._path, headers=headers, timeout=timeout, allow_redirects=False
            ) as http:
                if http.status != 200:
                    return f"it was refused with {http.status}: {(await http.text())[:80]}"
                _watch_over(http)
                silence_s = _SILENCE_S if EXTENSION_HEADER in http.headers else None
                self.is_open = True
                self._on_open()
                return await self._read(http.content, silence_s)
        except TimeoutError:
            return "nothing was heard for too long"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return str(error) or type(error).__name__

    async def _read(self, content: aiohttp.StreamReader, silence_s: float | None) -> str:
        parser = EventParser()
        while True:
            async with asyncio.timeout(silence_s):
                chunk = await content.readany()
            if not chunk:
                return "the server closed it"
            for event in parser.feed(chunk):
                message = read_message(event)
                if message is not None:
                    self._on_message(message)


def _watch_over(http: aiohttp.ClientResponse) -> None:
    """Let the kernel notice a peer that has vanished without a word."""
    transport: Any = http.connection.transport if http.connection is not None else None
    found = None if transport is None else transport.get_extra_info("socket")
    if found is None:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in _KEEPALIVE:
        option = getattr(socket, name, None)  # each platform has some of them
        if option is not None:
            found.setsockopt(socket.IPPROTO_TCP, option, seconds)
