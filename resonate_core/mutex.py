"""``Mutex``: a lock over executions and processes, with hand-over and expiry.

A lock is itself an execution, the *keeper* ``mutex/NAME``: requests are messages in its inbox, so they stand in one
order; a grant settles the latent promise that the requester waits for. Nothing else is needed, so locks work wherever
messages do, survive crashes, and are handed over in the order in which they were asked for. A holder that does not
release in time loses the lock to the next one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from resonate_core.errors import UsageError
from resonate_core.ids import check_id
from resonate_core.limits import KEEPER_TIMEOUT_S
from resonate_core.marks import durable, entry, query, seconds_of, signal, step

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta

    from resonate_core.context import Context

_logger = logging.getLogger("resonate_core")

KEEPER_FUNCTION: Final = "resonate.mutex"
SETTLE_FUNCTION: Final = "resonate.settle"
#: Grants after which a keeper starts over, so that its history stays short.
_GRANTS_PER_RUN: Final = 100


@step(name=SETTLE_FUNCTION)
def settle(promise_id: str, value: Any) -> None:
    """Resolve a latent promise; workers register what does it under this name."""
    raise UsageError(f"promise {promise_id!r} is settled with {value!r} by a started worker only, and there is none")


class Mutex:
    """A lock by name.

    ``ticket = yield ctx.run(lock.acquire)``, then in ``finally``: ``yield ctx.run(lock.release, ticket)``.

    Args:
        name: the same name is the same lock, in every process on one store.
        expiry: seconds after which a holder loses the lock to the next in line.
    """

    def __init__(self, name: str, *, expiry: float | timedelta = 60.0) -> None:
        limit = seconds_of(expiry, "expiry of a Mutex")
        if not limit:
            raise UsageError(f"expiry of a Mutex must be above 0 seconds, got {expiry!r}")
        self.name = name
        self.expiry = limit
        self._keeper = check_id(f"mutex/{name}")

    def acquire(self, ctx: Context, timeout: float | timedelta | None = None) -> Generator[Any, Any, str | None]:
        """Wait for the lock.

        Args:
            ctx: given by ``ctx.run``.
            timeout: seconds to wait at the most.

        Returns:
            The ticket to release it with; None when the time was over first.
        """
        grant = yield ctx.promise()
        yield ctx.detached(Keeper, self.name).options(id=self._keeper, timeout=KEEPER_TIMEOUT_S)
        yield ctx.signal(self._keeper, "request", grant.id, self.expiry)
        if timeout is None:
            yield grant
            return str(grant.id)
        timer = yield ctx.begin_sleep(timeout)
        index, _ = yield ctx.select(grant, timer)
        if index == 0:
            return str(grant.id)
        yield ctx.signal(self._keeper, "release", grant.id)
        return None

    def release(self, ctx: Context, ticket: str | None) -> Generator[Any, Any, None]:
        """Give the lock to the next in line; a ticket that has expired changes nothing."""
        if ticket is not None:
            yield ctx.signal(self._keeper, "release", ticket)


@durable(name=KEEPER_FUNCTION)
class Keeper:
    """The execution behind a lock."""

    def __init__(self, name: str, waiting: list[tuple[str, float]] | None = None) -> None:
        self.name = name
        self.waiting: list[tuple[str, float]] = [(ticket, expiry) for ticket, expiry in waiting or []]
        self.holder: str | None = None

    @entry
    def run(
        self,
        ctx: Context,
        name: str,  # noqa: ARG002 - the constructor has taken it
        waiting: list[tuple[str, float]] | None = None,  # noqa: ARG002
    ) -> Generator[Any, Any, None]:
        """Grant the lock to one after the other."""
        for _ in range(_GRANTS_PER_RUN):
            yield ctx.wait_until(lambda: self.waiting)
            self.holder, expiry = self.waiting.pop(0)
            yield ctx.run(settle, self.holder, True)
            try:
                yield ctx.wait_until(lambda: self.holder is None, timeout=expiry)
            except TimeoutError:
                _logger.warning("lock %s was not released within %g s by %s", self.name, expiry, self.holder)
                self.holder = None
        yield ctx.continue_as_new(self.name, self.waiting)

    @signal
    def request(self, ticket: str, expiry: float) -> None:
        """Stand in line."""
        self.waiting.append((ticket, expiry))

    @signal
    def release(self, ticket: str) -> None:
        """Let go, or leave the line."""
        if self.holder == ticket:
            self.holder = None
        self.waiting = [entry for entry in self.waiting if entry[0] != ticket]

    @query
    def line(self) -> list[str]:
        """Return tickets: the holder's first, then those that wait."""
        return [*([self.holder] if self.holder else []), *(ticket for ticket, _ in self.waiting)]
