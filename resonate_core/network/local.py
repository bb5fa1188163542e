"""The network that ends in this process: an embedded server on memory or on a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resonate_core.network.local_engine import Submission
from resonate_core.network.local_members import Member
from resonate_core.protocol.addresses import anycast, expand, unicast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.network.local_server import LocalServer
    from resonate_core.network.port import Done, Lease
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Message, Request


class LocalNetwork:
    """A ``Network`` to an embedded server; see ``port.Network`` for what each method promises.

    Args:
        server: shared by all networks of this process on one store.
        group: of the worker or client.
        pid: its name, unique among all processes on the store.
        on_stop: called once, when the network has stopped.
    """

    def __init__(
        self, server: LocalServer, *, group: str, pid: str, on_stop: Callable[[], None] = lambda: None
    ) -> None:
        self.server = server
        self.group = group
        self.pid = pid
        self._on_stop = on_stop
        self._is_worker: bool | None = None
        self._is_stopped = False

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
        return expand(target)

    def start(self, on_message: Callable[[Message], None], *, is_worker: bool, lease: Lease | None = None) -> None:
        """Begin to receive; a client may become a worker, never the other way."""
        if self._is_worker is not None and (self._is_worker or not is_worker):
            return
        self._is_worker = is_worker
        self.server.attach(Member(self.group, self.pid, is_worker, on_message, lease))

    def stop(self) -> None:
        """Stop receiving; everything submitted before is answered."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self.server.detach(self.group, self.pid)
        self._on_stop()

    def submit(self, requests: Sequence[Request], done: Done, *, atomic: bool = False) -> None:
        """Send requests that belong together: one transaction."""
        self.server.submit(requests, done, atomic=atomic)

    def submit_all(self, series: Sequence[tuple[Sequence[Request], Done]]) -> None:
        """Send several series, each a transaction's part of its own; perhaps answered before this returns."""
        self.server.submit_all([Submission(list(requests), done) for requests, done in series])

    def watch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Ask to be told, once, when a promise is settled."""
        self.server.watch(promise_id, on_settled)

    def unwatch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Forget a watch."""
        self.server.unwatch(promise_id, on_settled)
