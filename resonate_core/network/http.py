"""The network to a server by URL: a Resonate Server, or ``resonate-core serve``.

A process that only starts and awaits executions must not be offered tasks, and a stream makes its process a member of a
group. So a client listens in a group of clients, and moves to its own group when it becomes a worker.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from resonate_core.errors import UsageError
from resonate_core.network.http_link import HttpLink
from resonate_core.network.http_stream import Stream
from resonate_core.network.remote import RemoteNetwork
from resonate_core.protocol.addresses import anycast, plain_name, unicast

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from resonate_core.clock import Clock

#: Group in which clients listen; it has no workers.
CLIENTS: Final = "resonate-clients"
#: What passes through the host and path of an address unchanged on every server.
_PID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class HttpNetwork(RemoteNetwork):
    """A network by URL.

    Args:
        url: ``http://host:8001`` or ``https://...``.
        group: of the worker or client.
        pid: its name, unique among all processes.
        token: for servers that want one.
        clock: wall clock.
        link: a connection with other limits than the usual ones.

    Raises:
        UsageError: a URL or a name that no server takes.
    """

    def __init__(
        self,
        url: str,
        *,
        group: str,
        pid: str,
        token: str | None = None,
        clock: Clock | None = None,
        link: HttpLink | None = None,
    ) -> None:
        if not group:
            raise UsageError("a group has a name; leave it out for the group 'default'")
        _check_pid(pid)
        self._http = link or HttpLink(_checked_url(url), token)
        super().__init__(self._http, group=plain_name(group), pid=pid, clock=clock)

    @property
    def unicast(self) -> str:
        """Address of exactly this process."""
        return unicast(self.group, self.pid)

    @property
    def anycast(self) -> str:
        """Address of any worker of this group."""
        return anycast(self.group)

    def address(self, target: str) -> str:
        """Return the address of a target."""
        return target if "://" in target else anycast(plain_name(target))

    def _listening_at(self) -> str:
        return self.unicast if self._is_worker else unicast(CLIENTS, self.pid)

    def _listen(self) -> Coroutine[Any, Any, None]:
        group = self.group if self._is_worker else CLIENTS
        return Stream(self._http, group, self.pid, self._take, self._stream_opened).run()


def _check_pid(pid: str) -> None:
    if not _PID.fullmatch(pid):
        raise UsageError(
            f"pid {pid!r} cannot stand in an address of a server; "
            "use letters, digits, '-', '_' and '.', beginning with a letter or digit"
        )


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or parts.query or parts.fragment or parts.username:
        raise UsageError(f"server URL {url!r} is not supported; expected http://HOST:PORT or https://HOST[:PORT]")
    return url.rstrip("/")
