"""From a URL to a network."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from resonate_core.clock import SystemClock, new_pid
from resonate_core.errors import UsageError
from resonate_core.limits import RETRY_MS
from resonate_core.network.connector_url import connector_by_url
from resonate_core.network.local import LocalNetwork
from resonate_core.network.local_server import LocalServer
from resonate_core.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.clock import Clock
    from resonate_core.network.connector import Connector
    from resonate_core.network.port import Network

_SUPPORTED: Final = (
    "memory:, sqlite:///relative.db, sqlite:////absolute.db, http://host:8001, postgres://user@host/database, "
    "nats://host:4222"
)
_SYNCHRONOUS: Final = ("FULL", "NORMAL")


class _Shared:
    """A server and how many networks use it."""

    def __init__(self, server: LocalServer, settings: tuple[object, ...]) -> None:
        self.server = server
        self.settings = settings
        self.users = 0


_lock = threading.Lock()
_servers: Final[dict[Path, _Shared]] = {}
_forks_noted = False


def _forget() -> None:
    """In a forked child: no thread, no locks of ours, and a connection that SQLite forbids to use. Open anew."""
    global _lock  # noqa: PLW0603 - the parent's threads may have held the old one
    _lock = threading.Lock()
    for shared in _servers.values():
        shared.server.abandon()
    _servers.clear()


def open_network(
    url: str,
    *,
    group: str,
    pid: str | None = None,
    clock: Clock | None = None,
    synchronous: Literal["FULL", "NORMAL"] = "FULL",
    retry_ms: int = RETRY_MS,
    shared: LocalServer | None = None,
    token: str | None = None,
) -> Network:
    """Open the store that a URL names.

    Args:
        url: ``memory:`` (private to this call), ``sqlite:///relative.db`` or ``sqlite:////absolute.db``, a server's
            ``http://host:8001``, or ``postgres://...`` and ``nats://...`` where ``resonate-pg`` and ``resonate-nats``
            are installed.
        group: of the worker or client.
        pid: name of this process; a fresh one if None.
        clock: the machine's if None.
        synchronous: for files: ``FULL`` survives a power cut, ``NORMAL`` the death of processes; also as
            ``sqlite:///file.db?synchronous=NORMAL``.
        retry_ms: how long a pending task waits before it is offered again.
        shared: with ``memory:``: another network's server, to share its store.
        token: with ``http:``: shown to the server.

    Returns:
        A network that works at once; ``start`` makes it receive, ``stop`` ends it.

    Raises:
        UsageError: the URL or an argument is not supported.
        StoreError: the file cannot be used; the subclass and the text say why.
    """
    name = pid or new_pid()
    used_clock = clock or SystemClock()
    if url.startswith(("http://", "https://")):
        from resonate_core.network.http import HttpNetwork  # noqa: PLC0415 - aiohttp is loaded by who needs a server

        return HttpNetwork(url, group=group, pid=name, token=token, clock=used_clock)
    if url.startswith(("postgres://", "postgresql://", "nats://")):
        return as_network(connector_by_url(url, group=group, pid=name), group=group, pid=name, clock=used_clock)
    if url == "memory:":
        if shared is not None:
            return LocalNetwork(shared, group=group, pid=name)
        own = LocalServer(MemoryStore(), used_clock, retry_ms=retry_ms)
        return LocalNetwork(own, group=group, pid=name, on_stop=own.close)
    base, mark, options = url.partition("?")
    path = sqlite_path(base)
    if mark:
        synchronous = _synchronous_of(url, options)
    if synchronous not in _SYNCHRONOUS:
        raise UsageError(f"synchronous must be FULL or NORMAL, got {synchronous!r}")
    server, release = _acquire(path, used_clock, synchronous, retry_ms, is_own_clock=clock is not None)
    return LocalNetwork(server, group=group, pid=name, on_stop=release)


def as_network(given: Network | Connector, *, group: str, pid: str | None, clock: Clock) -> Network:
    """Return what a caller gave as ``network=``: a network as it is, a connector with ours around it.

    Raises:
        UsageError: it is neither.
    """
    if hasattr(given, "submit"):
        return cast("Network", given)
    from resonate_core.network.connector import ConnectorNetwork, is_connector  # noqa: PLC0415 - as for HTTP

    if not is_connector(given):
        raise UsageError(
            f"network= takes a connector of resonate_base (send, recv, unicast, resolve_target, start, stop), "
            f"got {type(given).__name__}"
        )
    return ConnectorNetwork(given, group=group, pid=pid, clock=clock)


def _synchronous_of(url: str, options: str) -> Literal["FULL", "NORMAL"]:
    """Read the one option that a URL may carry."""
    match options:
        case "synchronous=FULL":
            return "FULL"
        case "synchronous=NORMAL":
            return "NORMAL"
    raise UsageError(f"store URL {url!r} has unknown options; expected ?synchronous=FULL or ?synchronous=NORMAL")


def sqlite_path(url: str) -> Path:
    """Return the file that a ``sqlite:`` URL names, absolute.

    Raises:
        UsageError: it names none, or the URL is of another kind.
    """
    scheme, sign, rest = url.partition(":///")
    if not sign or scheme != "sqlite":
        raise UsageError(f"store URL {url!r} is not supported; expected one of {_SUPPORTED}")
    if not rest or rest.endswith("/"):
        raise UsageError(f"store URL {url!r} names no file; expected one of {_SUPPORTED}")
    return Path(rest).expanduser().resolve()


def _acquire(
    path: Path, clock: Clock, synchronous: Literal["FULL", "NORMAL"], retry_ms: int, *, is_own_clock: bool
) -> tuple[LocalServer, Callable[[], None]]:
    """Return the one server of this process on a file, and how to let go of it."""
    global _forks_noted  # noqa: PLW0603 - registered once, when there is something to protect
    if not _forks_noted and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget)
        _forks_noted = True
    from resonate_core.store.sqlite import SqliteStore  # noqa: PLC0415 - a build of Python without sqlite3 has memory:

    settings = (synchronous, retry_ms, clock if is_own_clock else None)
    with _lock:
        found = _servers.get(path)
        if found is None:
            store = SqliteStore(path, synchronous=synchronous)
            found = _servers[path] = _Shared(LocalServer(store, clock, retry_ms=retry_ms), settings)
        elif found.settings != settings:
            raise UsageError(
                f"{path} is open in this process with other settings {found.settings}, now asked for {settings}; "
                "use the same synchronous, retry_ms and clock for all",
            )
        found.users += 1
    return found.server, lambda: _release(path, found)


def _release(path: Path, shared: _Shared) -> None:
    with _lock:
        shared.users -= 1
        is_last = shared.users == 0
        if is_last:
            _servers.pop(path, None)
    if is_last:
        shared.server.close()
