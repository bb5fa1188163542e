"""The one seam between the worker side and a server, embedded or real.

A network carries requests one way and messages the other. Both callbacks may come on any thread; they must return
quickly and never raise. The worker side makes no assumption about which server answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Message, Request, Response

    Done = Callable[[list[Response]], None]


@dataclass(frozen=True)
class Lease:
    """How a worker takes tasks, for a server in the same process that can take them in the worker's name.

    A task that is offered and acquired in one transaction saves a commit and a way through two threads. What is lost
    between the commit and the worker is held by nobody's hand until the lease lapses, like the task of a killed worker.

    Attributes:
        ttl_ms: for which a task is held.
        has_room: whether the worker would take another task now; asked on any thread.
    """

    ttl_ms: int
    has_room: Callable[[], bool]


class Network(Protocol):
    """A connection of one worker process (``pid`` in ``group``) to a server."""

    pid: str
    group: str

    @property
    def unicast(self) -> str:
        """Address of exactly this process, ``poll://uni@GROUP/PID``: for listeners."""

    @property
    def anycast(self) -> str:
        """Address of any worker of this group, ``poll://any@GROUP``: for targets."""

    def address(self, target: str) -> str:
        """Return the address of a target: a group name becomes ``poll://any@NAME``, an address stays."""

    def start(self, on_message: Callable[[Message], None], *, is_worker: bool, lease: Lease | None = None) -> None:
        """Begin to receive; ``is_worker=False`` asks for ``unblock`` messages only.

        With a ``lease`` the embedded server may send ``Acquired`` in place of ``Execute``; others pay no heed to it.

        A message may get lost, come late or come twice: ``task.acquire`` decides who executes, and a pending task is
        offered again. A worker that starts is offered what waits already.

        Starting twice changes nothing except that a client may become a worker.
        """

    def stop(self) -> None:
        """Stop receiving; requests under way are answered (status 0 at the latest)."""

    def submit(self, requests: Sequence[Request], done: Done, *, atomic: bool = False) -> None:
        """Send requests that belong together, in order; never block for long; answer through ``done``.

        The first request that is answered with neither 200 nor 300 ends the series: the rest are answered with 424.
        On the embedded server a series is one transaction and one commit; submissions from several threads share
        commits, and their ``done`` callbacks come in the order of the commits. ``atomic=True`` asks that a series that
        ends early leaves nothing behind: guaranteed by the embedded server, not by others, so it may only save
        work, never carry correctness.
        """

    def submit_all(self, series: Sequence[tuple[Sequence[Request], Done]]) -> None:
        """Send several series that have nothing to do with each other, for a caller that can wait for a commit.

        The embedded server may carry them out on the caller's thread, in one commit, and answer before this returns.
        """

    def watch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Ask to be told, once, when a promise is settled (also when it is already).

        Best effort within the process, backed by ``promise.register_listener``: a lost message is made up for within
        seconds. Unknown promises are watched until they appear.
        """

    def unwatch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Forget a watch."""
