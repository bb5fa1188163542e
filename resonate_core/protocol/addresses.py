"""Addresses of the poll transport, the only ones that the embedded server delivers to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_POLL: Final = re.compile(r"poll://(any|uni)@([^/]+)(?:/(.+))?")
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_.-]|_(?=x[0-9A-F]{2})")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://")


def anycast(group: str) -> str:
    """Return the address of any worker of a group."""
    return f"poll://any@{group}"


def unicast(group: str, pid: str) -> str:
    """Return the address of one process."""
    return f"poll://uni@{group}/{pid}"


def expand(target: str) -> str:
    """Return a target as an address; a bare word is the name of a group."""
    return target if _SCHEME.match(target) else anycast(target)


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return the name of a group as it can stand in an address on every server.

    Letters, digits, ``-``, ``_`` and ``.`` stand for themselves, every other byte is ``_xHH``; two names never become
    one. Task queues of Temporal have any names.
    """
    return _NOT_PLAIN.sub(lambda match: "".join(f"_x{byte:02X}" for byte in match[0].encode()), name)


@lru_cache(maxsize=4096)
def route(address: str) -> str:
    """Return who may serve an address: one process, or any of a group, whichever member the address prefers."""
    match = _POLL.fullmatch(address)
    if match is None or match[1] == "uni":
        return address
    return anycast(match[2])


@lru_cache(maxsize=4096)
def preferred(address: str) -> str | None:
    """Return the pid that an address names: of ``uni`` the only one, of ``any`` the one to try first."""
    match = _POLL.fullmatch(address)
    return None if match is None else match[3]
