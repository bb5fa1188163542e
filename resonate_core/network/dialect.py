"""What kind of server answers: found out by requests that change nothing.

All servers announce the same protocol version and differ in what they check. ``promise.register_callback`` on two
promises that do not exist is refused in any case; how it is refused tells the rule for ids, since rules come before
look-ups. Where there is no rule, a search tells servers from databases. Servers of ours say so in a header and know the
kinds that make a step one commit.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resonate_core.clock import new_id
from resonate_core.protocol.requests import PromiseRegisterCallback, PromiseSearch

if TYPE_CHECKING:
    from resonate_core.network.link import Link

_log = logging.getLogger("resonate_core")


@dataclass(frozen=True)
class Dialect:
    """How a server wants to be spoken to.

    Attributes:
        name: for logs.
        is_own: it knows our private kinds and series of requests.
        has_origin_rule: ids of one execution extend its root by ``.``, and only those can be awaited together.
        fires_deadlines: a promise whose deadline passes wakes those who wait, whatever its tags.
        timers_need_target: a timer without a target never fires.
        awaits_external_only: a promise can be awaited only if its tags say that others settle it.
        has_search: promises can be found by their tags, and a task comes with what was recorded under it.
        splits_at_colon: the first colon of an id ends its origin, see ``spelling``.
        notice: what a user has to know, in one sentence; None if nothing.
    """

    name: str
    is_own: bool = False
    has_origin_rule: bool = False
    fires_deadlines: bool = True
    timers_need_target: bool = True
    awaits_external_only: bool = False
    has_search: bool = True
    splits_at_colon: bool = False
    notice: str | None = None


OWN: Final = Dialect("resonate-core serve", is_own=True)
RELEASED: Final = Dialect("Resonate Server 0.9.8")
_BRIDGES: Final = (
    "this server lets an execution wait only for what is its own: waiting for another execution, or for a promise "
    "with an id of its own, goes over a bridge and takes some tenths of a second longer"
)
MAIN: Final = Dialect(
    "Resonate Server after 0.9.8",
    has_origin_rule=True,
    fires_deadlines=False,
    notice=f"{_BRIDGES}; ids of schedules must not contain a dot",
)
COLON: Final = Dialect(
    "a server for ids like root:1",
    has_origin_rule=True,
    fires_deadlines=False,
    splits_at_colon=True,
    notice=f"{_BRIDGES}; what is named root.1 here is named root:1 there",
)
DATABASE: Final = Dialect(
    "Resonate in a database",
    timers_need_target=False,
    awaits_external_only=True,
    has_search=False,
    notice=(
        "this server cannot search: lists, trees and schedules cannot be listed, and each execution keeps a journal "
        "of what it has recorded, at the cost of one request more for each submission"
    ),
)

#: (what two ids joined by ``:`` are answered with, what two joined by ``.`` are answered with) -> dialect.
_BY_ANSWER: Final = {(404, 404): RELEASED, (400, 404): MAIN, (404, 400): COLON}
#: What servers answer that cannot search.
_NOT_IMPLEMENTED: Final = 501


async def detect(link: Link) -> Dialect | str:
    """Return the dialect of a server, or why it could not be asked."""
    word = f"probe{new_id()}"
    reply = await link.reply(PromiseRegisterCallback(f"{word}.1", f"{word}.2"), is_spelled=True)
    dotted = reply.responses[0]
    if dotted.status == 0:
        return dotted.error or "no answer"
    if reply.is_own and dotted.status == 404:
        return OWN
    colon = await link.reply(PromiseRegisterCallback(f"{word}:1", f"{word}:2"), is_spelled=True)
    status = colon.responses[0].status
    if status == 0:
        return colon.responses[0].error or "no answer"
    found = _BY_ANSWER.get((status, dotted.status))
    if found is None:
        return f"{link.url} answers a probe with {status} and {dotted.status}, as no known server does"
    if found is RELEASED and await _cannot_search(link):
        return DATABASE
    return found


async def _cannot_search(link: Link) -> bool:
    """Ask; a token that is not allowed to search says nothing about the server."""
    reply = await link.reply(PromiseSearch(limit=1), is_spelled=True)
    return reply.responses[0].status == _NOT_IMPLEMENTED


def announce(link: Link, dialect: Dialect) -> None:
    """Say once what was found and what follows from it."""
    _log.info("%s is %s", link.url, dialect.name)
    if dialect.notice is not None:
        _log.warning("%s: %s", link.url, dialect.notice)


def origin_of(id: str) -> str:
    """Return the root that an id belongs to where a server derives it from the id."""
    return id.partition(".")[0]
