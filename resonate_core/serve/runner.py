"""Puts the embedded server on a port: the command line on its main thread, others on a thread for it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import threading
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web

from resonate_core.errors import TransportError, UsageError
from resonate_core.serve.app import App
from resonate_core.serve.guard import Guard
from resonate_core.serve.streams import Streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from resonate_core.network.local_server import LocalServer

_log = logging.getLogger(__name__)

#: Seconds that requests under way get when the server stops.
STOP_SECONDS: Final = 5.0
_BACKLOG: Final = 1_024


def check_exposure(host: str, token: str | None, *, is_open: bool) -> None:
    """Refuse to serve a network without a token by accident.

    Raises:
        UsageError: other machines could reach the server and nothing would stop them.
    """
    if token is not None and not token:
        raise UsageError("the token is empty; give one that is hard to guess, or none at all")
    if token is None and not is_open and not _is_loopback(host):
        raise UsageError(
            f"serving {host!r} without a token lets whoever reaches it start and settle executions; "
            "give --token (or RESONATE_TOKEN), or say --open if the network itself is protected"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.asynccontextmanager
async def serving(server: LocalServer, host: str, port: int, token: str | None) -> AsyncIterator[str]:
    """Serve while the context is open; gives the URL. The embedded server itself stays open.

    Raises:
        UsageError: the port is taken, or the host is not one of this machine.
    """
    streams = Streams(server, f"http://{_shown(host)}:{port}")
    application = App(server, streams, Guard(token)).application()
    # A dropped connection ends its handler: otherwise a stream would be noticed to be dead at the next message only.
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=_BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise UsageError(
                f"cannot serve on {host}:{port}: {error.strerror or error}; choose another --port"
            ) from error
        url = f"http://{_shown(host)}:{runner.addresses[0][1]}"
        streams.server_url = url
        yield url
    finally:
        streams.end_all()
        await runner.cleanup()
        await asyncio.get_running_loop().run_in_executor(None, streams.shut_down)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class BackgroundServer:
    """Serves from a thread of its own.

    Args:
        server: the embedded server; closed by whoever made it.
        host: address to listen on.
        port: 0 for a free one.
        token: see ``Guard``.
    """

    def __init__(
        self, server: LocalServer, *, host: str = "127.0.0.1", port: int = 0, token: str | None = None
    ) -> None:
        self._server = server
        self._host = host
        self._port = port
        self._token = token
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._is_ready = threading.Event()
        self._error: BaseException | None = None
        self.url = ""
        self._thread = threading.Thread(target=self._run, name="resonate-serve", daemon=True)

    def start(self) -> Self:
        """Serve from now on; returns when requests are taken.

        Raises:
            UsageError: the port is taken.
            TransportError: the thread did not come up.
        """
        self._thread.start()
        if not self._is_ready.wait(30):
            raise TransportError(f"the server on {self._host}:{self._port} did not come up within 30 s")
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def stop(self) -> None:
        """Stop serving; returns when everything is answered."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits in start
            self._error = error
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
            self._is_ready.set()

    async def _serve(self) -> None:
        async with serving(self._server, self._host, self._port, self._token) as url:
            self.url = url
            self._is_ready.set()
            await self._stop.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
