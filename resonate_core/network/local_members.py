"""Networks of this process that receive messages, and which of them gets one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from resonate_core.protocol.addresses import anycast, preferred, route, unicast
from resonate_core.protocol.requests import Execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.machine.state import Outgoing
    from resonate_core.protocol.requests import Message

_log = logging.getLogger(__name__)


class Member(msgspec.Struct):
    """One attached network."""

    pid: str
    group: str
    on_message: Callable[[Message], None]
    is_worker: bool


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

    @property
    def routes(self) -> list[str]:
        """Addresses whose tasks somebody here executes."""
        workers = [member for member in self._members.values() if member.is_worker]
        return sorted({address for w in workers for address in (anycast(w.group), unicast(w.group, w.pid))})

    def choose(self, outgoing: Outgoing) -> Member | None:
        """Return who gets a message: whom the address names, else the members of the group in turn."""
        served = route(outgoing.address)
        needs_worker = isinstance(outgoing.message, Execute)
        fitting = [
            member
            for member in self._members.values()
            if served in (anycast(member.group), unicast(member.group, member.pid))
            and (member.is_worker or not needs_worker)
        ]
        if not fitting:
            return None
        wanted = preferred(outgoing.address)
        named = next((member for member in fitting if member.pid == wanted), None)
        self._turn += 1
        return named or fitting[self._turn % len(fitting)]


def deliver(member: Member, message: Message) -> None:
    """Hand a message over; what a receiver raises is its own trouble, not the server's."""
    try:
        member.on_message(message)
    except Exception:  # noqa: BLE001 - code of the worker side
        _log.exception("the receiver of %s/%s failed on %r", member.group, member.pid, message)
