"""Networks that receive messages, and which of them gets one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from resonate_core.protocol.addresses import anycast, preferred, route, unicast
from resonate_core.protocol.requests import Execute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.machine.state import Outgoing
    from resonate_core.protocol.requests import Message
    from resonate_core.store.board import Peer

_log = logging.getLogger(__name__)


class Member(msgspec.Struct):
    """One network of this process."""

    group: str
    pid: str
    is_worker: bool
    on_message: Callable[[Message], None]


class Members:
    """The networks of this process on one store. The server's thread uses it."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], Member] = {}
        self._turn = 0

    def put(self, member: Member) -> None:
        """Add or replace a member."""
        self._members[member.group, member.pid] = member

    def remove(self, group: str, pid: str) -> None:
        """Forget a member."""
        self._members.pop((group, pid), None)

    def get(self, group: str | None, pid: str | None) -> Member | None:
        """Return a member."""
        return self._members.get((group or "", pid or ""))

    def __len__(self) -> int:
        return len(self._members)

    @property
    def workers(self) -> list[Member]:
        """Members that execute."""
        return [member for member in self._members.values() if member.is_worker]

    @property
    def routes(self) -> list[str]:
        """Addresses whose tasks somebody here executes."""
        return sorted({address for worker in self.workers for address in routes_of(worker)})

    def choose(self, outgoing: Outgoing, others: Sequence[Peer]) -> Member | Peer | None:
        """Return who gets a message: the best one if it is there, else all that could, in turn."""
        served = route(outgoing.address)
        needs_worker = isinstance(outgoing.message, Execute)
        present: list[Member | Peer] = [*self._members.values(), *others]
        fitting = [one for one in present if (one.is_worker or not needs_worker) and served in routes_of(one)]
        if not fitting:
            return None
        for wanted in (outgoing.prefer, preferred(outgoing.address)):
            named = next((one for one in fitting if one.pid == wanted), None)
            if named is not None:
                return named
        self._turn += 1
        return fitting[self._turn % len(fitting)]


def routes_of(one: Member | Peer) -> tuple[str, str]:
    """Return the addresses that reach a network."""
    return (anycast(one.group), unicast(one.group, one.pid))


def deliver(member: Member, message: Message) -> None:
    """Hand a message over; what a receiver raises is its own trouble, not the server's."""
    try:
        member.on_message(message)
    except Exception:  # noqa: BLE001 - code of the worker side
        _log.exception("the receiver of %s/%s failed on %r", member.group, member.pid, message)
