"""What kind of server answers: found out by two requests that change nothing.

All servers announce the same protocol version and differ in what they check. ``promise.register_callback`` on two
promises that do not exist is refused in any case; how it is refused tells the rule for ids, since rules come before
look-ups. Servers of ours say so in a header and know the kinds that make a step one commit.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resonate_core.clock import new_id
from resonate_core.protocol.requests import PromiseRegisterCallback

if TYPE_CHECKING:
    from resonate_core.network.http_link import Link

_log = logging.getLogger("resonate_core")


@dataclass(frozen=True)
class Dialect:
    """How a server wants to be spoken to.

    Attributes:
        name: for logs.
        is_own: it knows our private kinds and series of requests.
        has_origin_rule: ids of one execution extend its root by ``.``, and only those can be awaited together.
        fires_deadlines: a promise whose deadline passes wakes those who wait, whatever its tags.
        notice: what a user has to know, in one sentence; None if nothing.
        refusal: why this server cannot be used; None if it can.
    """

    name: str
    is_own: bool = False
    has_origin_rule: bool = False
    fires_deadlines: bool = True
    notice: str | None = None
    refusal: str | None = None


OWN: Final = Dialect("resonate-core serve", is_own=True)
RELEASED: Final = Dialect("Resonate Server 0.9.8")
MAIN: Final = Dialect(
    "Resonate Server after 0.9.8",
    has_origin_rule=True,
    fires_deadlines=False,
    notice=(
        "this server lets an execution wait only for what is its own: waiting for another execution, or for a promise "
        "with an id of its own, goes over a bridge and takes some tenths of a second longer; "
        "ids of schedules must not contain a dot"
    ),
)
COLON: Final = Dialect(
    "a server for ids like root:1",
    refusal=(
        "this server accepts only children named root:1, and this version names them root.1; "
        "use Resonate Server 0.9.x or resonate-core serve"
    ),
)

#: (what two ids joined by ``:`` are answered with, what two joined by ``.`` are answered with) -> dialect.
_BY_ANSWER: Final = {(404, 404): RELEASED, (400, 404): MAIN, (404, 400): COLON}


async def detect(link: Link) -> Dialect | str:
    """Return the dialect of a server, or why it could not be asked."""
    word = f"probe{new_id()}"
    reply = await link.reply(PromiseRegisterCallback(f"{word}.1", f"{word}.2"))
    dotted = reply.responses[0]
    if dotted.status == 0:
        return dotted.error or "no answer"
    if reply.is_own and dotted.status == 404:
        return OWN
    colon = await link.send(PromiseRegisterCallback(f"{word}:1", f"{word}:2"))
    if colon.status == 0:
        return colon.error or "no answer"
    found = _BY_ANSWER.get((colon.status, dotted.status))
    if found is None:
        return f"{link.url} answers a probe with {colon.status} and {dotted.status}, as no known server does"
    return found


def announce(link: Link, dialect: Dialect) -> None:
    """Say once what was found and what follows from it."""
    _log.info("%s is %s", link.url, dialect.name)
    if dialect.refusal is not None:
        _log.error("%s: %s", link.url, dialect.refusal)
    elif dialect.notice is not None:
        _log.warning("%s: %s", link.url, dialect.notice)


def origin_of(id: str) -> str:
    """Return the root that an id belongs to where a server derives it from the id."""
    return id.partition(".")[0]
