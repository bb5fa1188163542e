"""The network over a connector of ``resonate_base``: Resonate on Postgres, on NATS, on whatever speaks the same seam.

A connector carries envelopes as text: ``send`` takes a request and returns its answer, ``recv`` registers who is told
of messages, ``unicast`` and ``resolve_target`` are its addresses. Some receive for their group as soon as they are
started with a receiver; so a process that only starts and awaits executions registers none, and asks again and again
for what it awaits.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from resonate_core.clock import new_pid
from resonate_core.errors import UsageError
from resonate_core.network.http_responses import read_message
from resonate_core.network.link import Link, Reply, TryAgainError
from resonate_core.network.remote import RemoteNetwork
from resonate_core.network.routing import ORIGIN_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.clock import Clock
    from resonate_core.network.link import Read

_log = logging.getLogger("resonate_core")

_POLL: Final = re.compile(r"poll://uni@([^/]+)/(.+)")
#: Requests under way at the same time: less than the sessions that ``resonate-pg`` opens (16), so that heartbeats,
#: which pass by everything that waits, find one.
_TOGETHER_COUNT: Final = 10
_NEEDED: Final = ("start", "stop", "send", "recv", "unicast", "resolve_target")


class Connector(Protocol):
    """Both halves of ``resonate_base.connections``: ``Network`` and ``Source``."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def send(self, req: str, headers: dict[str, str] | None = None) -> str: ...
    def unicast(self) -> str: ...
    def resolve_target(self, target: str) -> str: ...
    def recv(self, callback: Callable[[str], None]) -> None: ...


def is_connector(thing: Any) -> bool:
    """Say whether something is a connector, by its methods, as ``resonate_base`` itself does."""
    return all(callable(getattr(thing, name, None)) for name in _NEEDED) and inspect.iscoroutinefunction(thing.send)


class ConnectorLink(Link):
    """A link over a connector; starts it before the first request, and again when somebody is to hear messages."""

    def __init__(self, connector: Connector, name: str) -> None:
        super().__init__(name, None)
        self._connector = connector
        self._starting = asyncio.Lock()
        self._slots = asyncio.Semaphore(_TOGETHER_COUNT)
        self._is_started = False

    async def start(self, receiver: Callable[[str], None] | None = None) -> None:
        """Start the connector, once without a receiver and once with one.

        Raises:
            TryAgainError: it could not be started.
        """
        async with self._starting:
            if self._is_started and receiver is None:
                return
            if receiver is not None:
                self._connector.recv(receiver)
            try:
                await self._connector.start()
            except Exception as error:
                raise TryAgainError(f"{self.url} cannot be started: {error}", may_have_arrived=False) from error
            self._is_started = True

    async def close(self) -> None:
        """Stop the connector."""
        try:
            await self._connector.stop()
        except Exception:  # noqa: BLE001 - what it cannot let go of is no reason to keep the rest
            _log.exception("%s could not be stopped", self.url)

    async def attempt(self, kind: str, body: bytes, origin: str, read: Read) -> Reply:
        """Try a request once; see ``Link``."""
        await self.start()
        slot = contextlib.nullcontext() if kind == "task.heartbeat" else self._slots
        try:
            async with slot, asyncio.timeout(self._try_s):
                answer = await self._connector.send(body.decode(), {ORIGIN_HEADER: origin})
        except TimeoutError:
            raise TryAgainError(f"{self.url} did not answer {kind} in time", may_have_arrived=True) from None
        except Exception as error:
            raise TryAgainError(f"{self.url} failed on {kind}: {error}", may_have_arrived=True) from error
        return Reply(self.judge(kind, 200, answer.encode(), read))


class ConnectorNetwork(RemoteNetwork):
    """A ``Network`` over a connector.

    Args:
        connector: not started yet; it is started, and stopped, by this network.
        group: of the worker or client; the connector must have been made for the same one.
        pid: name of this process; the connector's own if it shows one.
        clock: wall clock.

    Raises:
        UsageError: connector and runtime speak of different groups or processes.
    """

    def __init__(self, connector: Connector, *, group: str, pid: str | None = None, clock: Clock | None = None) -> None:
        self._connector = connector
        name = type(connector).__name__
        shown = _POLL.fullmatch(connector.unicast())
        if shown is not None:
            _check_same(name, "group", shown[1], group)
            if pid is not None:
                _check_same(name, "pid", shown[2], pid)
            pid = shown[2]
        self._over = ConnectorLink(connector, name)
        super().__init__(self._over, group=group, pid=pid or new_pid(), clock=clock)

    @property
    def unicast(self) -> str:
        """Address of exactly this process."""
        return self._connector.unicast()

    @property
    def anycast(self) -> str:
        """Address of any worker of this group."""
        return self._connector.resolve_target(self.group)

    def address(self, target: str) -> str:
        """Return the address of a target; the connector says what a group's is."""
        return target if "://" in target else self._connector.resolve_target(target)

    def _listening_at(self) -> str | None:
        return self.unicast if self._is_worker else None

    async def _listen(self) -> None:
        if not self._is_worker:
            return
        while True:
            try:
                await self._over.start(self._heard)
            except TryAgainError as error:
                _log.warning("%s; trying again", error)
                await asyncio.sleep(1)
            else:
                self._stream_opened()
                return

    def _heard(self, text: str) -> None:
        message = read_message(text.encode())
        if message is not None:
            self._take(message)


def _check_same(connector: str, what: str, theirs: str, ours: str) -> None:
    if theirs != ours:
        raise UsageError(
            f"{connector} was made for {what} {theirs!r}, and Resonate for {ours!r}; "
            f"give both the same, Resonate({what}={theirs!r}, network={connector}(..., {what}={theirs!r}))"
        )
