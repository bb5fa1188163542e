"""A link over HTTP: one POST for each request."""

from __future__ import annotations

import asyncio
import contextlib
import io
from typing import TYPE_CHECKING, Final

import aiohttp

from resonate_core.network.http_wire import EXTENSION_HEADER
from resonate_core.network.link import REPEAT_SECONDS, TRY_SECONDS, Link, Reply, TryAgainError

if TYPE_CHECKING:
    from resonate_core.network.link import Read

CONNECT_SECONDS: Final = 5.0
CONNECTION_COUNT: Final = 64


class HttpLink(Link):
    """A link to a server by URL, without a slash at its end; for the rest see ``Link``."""

    def __init__(
        self, url: str, token: str | None, *, repeat_s: float = REPEAT_SECONDS, try_s: float = TRY_SECONDS
    ) -> None:
        super().__init__(url, token, repeat_s=repeat_s, try_s=try_s)
        self.headers = {"Content-Type": "application/json"}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session; made on the loop that uses it."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._try_s, sock_connect=CONNECT_SECONDS)
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
            self._slots = asyncio.Semaphore(CONNECTION_COUNT)
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def attempt(self, kind: str, body: bytes, origin: str, read: Read) -> Reply:  # noqa: ARG002 - HTTP routes by URL
        """Try a request once; see ``Link``."""
        session = self.session
        # Heartbeats pass by everything that waits: a busy process must not lose its leases over it.
        slot = contextlib.nullcontext() if kind == "task.heartbeat" else self._slots
        try:
            async with (
                slot,
                # a file object is sent in pieces; a large body as such would hold up everything else on the loop
                session.post(
                    f"{self.url}/", data=io.BytesIO(body), headers=self.headers, allow_redirects=False
                ) as http,
            ):
                answer = await http.read()
                status = http.status
                is_own = EXTENSION_HEADER in http.headers
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise TryAgainError(f"{self.url} cannot be reached: {error}", may_have_arrived=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = str(error) or type(error).__name__
            raise TryAgainError(f"{self.url} did not answer {kind}: {what}", may_have_arrived=True) from None
        return Reply(self.judge(kind, status, answer, read), is_own=is_own)
