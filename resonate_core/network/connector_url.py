"""From a URL to a connector: ``postgres://`` by ``resonate-pg``, ``nats://`` by ``resonate-nats``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from resonate_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.connector import Connector


def connector_by_url(url: str, *, group: str, pid: str) -> Connector:
    """Return a connector to what a URL names; nothing is connected yet.

    Raises:
        UsageError: the package that knows this kind of URL is not installed.
    """
    if url.startswith("nats://"):
        client = NatsClient(url)
        return OwnedNats(_needed("resonate_nats", "resonate-nats", url).NatsConnection(client, pid, group), client)
    made: Connector = _needed("resonate_pg", "resonate-pg", url).PostgresConnection(url, pid, group)
    return made


def _needed(module: str, package: str, url: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"{url.partition(':')[0]}: URLs need {package}; install it (pip install {package})") from error


class NatsClient:
    """A client of NATS that connects when it is first used, on the loop that uses it.

    Args:
        url: of the server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Any = None

    async def _connected(self) -> Any:
        if self._client is None:
            nats = _needed("nats", "nats-py", self._url)
            self._client = await nats.connect(self._url, max_reconnect_attempts=-1)
        return self._client

    def new_inbox(self) -> str:
        """Return a subject of our own."""
        return str(self._client.new_inbox())

    async def subscribe(
        self, subject: str, queue: str = "", cb: Callable[[Any], Any] | None = None, max_msgs: int = 0
    ) -> Any:
        """Subscribe."""
        return await (await self._connected()).subscribe(subject, queue=queue, cb=cb, max_msgs=max_msgs)

    async def publish(self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Publish; without headers whose names hold a colon, which newer clients refuse: the subject says the same."""
        allowed = {name: value for name, value in (headers or {}).items() if ":" not in name}
        await (await self._connected()).publish(subject, payload, headers=allowed)

    async def open(self) -> None:
        """Connect, if that was not done."""
        await self._connected()

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()


class OwnedNats:
    """A connector to NATS together with the client that it stands on, which it opens and closes."""

    def __init__(self, connector: Any, client: NatsClient) -> None:
        self._connector = connector
        self._client = client
        self.send = connector.send
        self.recv = connector.recv
        self.unicast = connector.unicast
        self.resolve_target = connector.resolve_target

    async def start(self) -> None:
        """Connect, then start."""
        await self._client.open()
        await self._connector.start()

    async def stop(self) -> None:
        """Stop, then disconnect."""
        await self._connector.stop()
        await self._client.close()
