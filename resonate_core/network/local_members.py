"""Networks that receive messages, and which of them gets one."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from resonate_core.protocol.addresses import anycast, preferred, route, unicast
from resonate_core.protocol.requests import Execute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.machine.state import Outgoing
    from resonate_core.network.port import Lease
    from resonate_core.protocol.requests import Message
    from resonate_core.store.board import Peer

_log = logging.getLogger(__name__)


class Member(msgspec.Struct):
    """One network of this process."""

    group: str
    pid: str
    is_worker: bool
    on_message: Callable[[Message], None]
    lease: Lease | None = None

    @property
    def takes_at_once(self) -> bool:
        """Whether a task may be acquired in its name just now."""
        return self.is_worker and self.lease is not None and self.lease.has_room()


class Members:
    """The networks of this process on one store. The server's thread uses it."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], Member] = {}
        self._turns: dict[str, int] = {}
        #: Addresses whose tasks somebody here executes.
        self.routes: list[str] = []

    def put(self, member: Member) -> None:
        """Add or replace a member."""
        self._members[member.group, member.pid] = member
        self._find_routes()

    def remove(self, group: str, pid: str) -> None:
        """Forget a member."""
        self._members.pop((group, pid), None)
        self._find_routes()

    def get(self, group: str | None, pid: str | None) -> Member | None:
        """Return a member."""
        return self._members.get((group or "", pid or ""))

    def __len__(self) -> int:
        return len(self._members)

    def _find_routes(self) -> None:
        workers = [member for member in self._members.values() if member.is_worker]
        self.routes = sorted({address for worker in workers for address in _routes_of(worker.group, worker.pid)})

    def choose(self, outgoing: Outgoing, others: Sequence[Peer]) -> Member | Peer | None:
        """Return who gets a message: the best one if it is there, else all in turn."""
        served = route(outgoing.address)
        needs_worker = isinstance(outgoing.message, Execute)
        present: list[Member | Peer] = [*self._members.values(), *others]
        fitting = [
            one for one in present if (one.is_worker or not needs_worker) and served in _routes_of(one.group, one.pid)
        ]
        if not fitting:
            return None
        for wanted in (outgoing.prefer, preferred(outgoing.address)):
            named = next((one for one in fitting if one.pid == wanted), None)
            if named is not None:
                return named
        turn = self._turns[served] = self._turns.get(served, 0) + 1
        return fitting[turn % len(fitting)]


@lru_cache(maxsize=1024)
def _routes_of(group: str, pid: str) -> tuple[str, str]:
    """Return the addresses that reach a network."""
    return (anycast(group), unicast(group, pid))


def deliver(member: Member, message: Message) -> None:
    """Hand a message over; what a receiver raises is its own trouble, not the server's."""
    try:
        member.on_message(message)
    except Exception:  # noqa: BLE001 - code of the worker side
        _log.exception("the receiver of %s/%s failed on %r", member.group, member.pid, message)
