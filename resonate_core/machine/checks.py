"""What makes a request malformed (400), before anything stored is looked at."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from resonate_core.limits import INT64_MAX
from resonate_core.machine.refusal import invalid
from resonate_core.protocol.records import TAG_DELAY, TAG_TARGET

if TYPE_CHECKING:
    from resonate_core.protocol.requests import PromiseCreate

SETTLED_STATES: Final = frozenset({"resolved", "rejected", "rejected_canceled"})
PROMISE_STATES: Final = frozenset({"pending", "rejected_timedout"}) | SETTLED_STATES
TASK_STATES: Final = frozenset({"pending", "acquired", "suspended", "halted", "fulfilled"})
SEARCH_LIMIT_MAX: Final = 1_000

_ADDRESS: Final = re.compile(
    r"""(?x)
      https?://[^\s/]+\S*
    | poll://(?:any|uni)@[^\s/@]+(?:/\S+)?
    | gcps://[^\s/]+/\S+
    | bash://\S*
    """,
)


@lru_cache(maxsize=4096)
def is_address(text: str) -> bool:
    """Whether a message could be sent there."""
    return _ADDRESS.fullmatch(text) is not None


def check_id(id: str, field: str = "id") -> None:
    """Refuse an id that cannot be stored."""
    if not id:
        raise invalid(f"{field} must not be empty")
    if "\x00" in id:
        raise invalid(f"{field} {id!r} contains a NUL character")
    if not id.isascii() and any("\ud800" <= char <= "\udfff" for char in id):
        raise invalid(f"{field} {id!r} contains half of a surrogate pair, which is no text")


def check_address(address: str, field: str) -> None:
    """Refuse an address that no transport understands."""
    if not is_address(address):
        raise invalid(f"{field} {address!r} is not an address; expected for example poll://any@GROUP")


def check_instant(value: int, field: str) -> None:
    """Refuse an instant or a duration outside of 64 bits."""
    if not 0 <= value <= INT64_MAX:
        raise invalid(f"{field} must lie between 0 and {INT64_MAX}, got {value}")


def check_state(state: str) -> None:
    """Refuse a state that nobody can settle a promise to."""
    if state not in SETTLED_STATES:
        raise invalid(f"state must be one of {', '.join(sorted(SETTLED_STATES))}, got {state!r}")


def check_lease(pid: str, ttl_ms: int) -> None:
    """Refuse a lease that nobody holds or that is over when it begins."""
    if not pid:
        raise invalid("pid must not be empty")
    if not 1 <= ttl_ms <= INT64_MAX:
        raise invalid(f"ttl must be at least 1 millisecond, got {ttl_ms}")


def check_version(version: int) -> None:
    """Refuse a version that no task can have."""
    check_instant(version, "version")


def check_search(limit: int) -> None:
    """Refuse a page size outside of the protocol's bounds."""
    if not 1 <= limit <= SEARCH_LIMIT_MAX:
        raise invalid(f"limit must lie between 1 and {SEARCH_LIMIT_MAX}, got {limit}")


def check_create(request: PromiseCreate) -> None:
    """Refuse a promise that cannot be created."""
    check_id(request.id)
    check_instant(request.timeout_at, "timeoutAt")
    tags = request.tags
    if not tags:
        return
    target = tags.get(TAG_TARGET)
    if target is not None:
        check_address(target, TAG_TARGET)
    delay = tags.get(TAG_DELAY)
    if delay is not None:
        _check_delay(delay, target, request.timeout_at)


def _check_delay(delay: str, target: str | None, timeout_at: int) -> None:
    if target is None:
        raise invalid(f"{TAG_DELAY} needs {TAG_TARGET}: without a target nothing is dispatched")
    if not (delay.isascii() and delay.isdigit()):
        raise invalid(f"{TAG_DELAY} must be an instant in milliseconds, got {delay!r}")
    if int(delay) >= timeout_at:
        raise invalid(f"{TAG_DELAY} {delay} must come before timeoutAt {timeout_at}")
