"""Who is told what once a transaction is over, in this process and by others.

Watches, messages and offers meet here. Looking something up is a submission like any other, put back into the queue.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from resonate_core.machine.lifecycle import is_internal
from resonate_core.network.local_engine import PAUSE_MS, Job, Submission
from resonate_core.network.local_members import deliver
from resonate_core.network.local_watch import Watches
from resonate_core.protocol.requests import Execute, PromiseGet, Response, Unblock

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.clock import Clock
    from resonate_core.network.local_engine import Commit
    from resonate_core.network.local_exchange import Exchange
    from resonate_core.network.local_members import Member
    from resonate_core.store.board import Note

    Item = Submission | Job

_log = logging.getLogger(__name__)


class Notices:
    """Tells; used within a turn of the server, but for ``look``, which any thread may call.

    Args:
        exchange: members and peers.
        clock: of the server.
        put: queues a submission or a job.
        post: runs a notice: now, or, inline, when pumped.
    """

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        *,
        put: Callable[[Item], None],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self.watches = Watches()
        self._exchange = exchange
        self._clock = clock
        self._put = put
        self._post = post

    def tell(self, commit: Commit) -> None:
        """Answer, in the order of submission, then hand over messages, then tell watchers."""
        for done, responses in commit.answers:
            call(done, responses)
        for job_done in commit.jobs:
            job_done()
        for member, message in commit.deliveries:
            self._post(partial(deliver, member, message))
        for on_settled, promise in self.watches.take(commit.settled.values()):
            self._post(partial(call, on_settled, promise))

    def offer_all(self) -> None:
        """Offer what is pending already to the workers of this process."""
        offered: list[tuple[Member, Execute]] = []

        def hand_over() -> None:
            for member, message in offered:
                self._post(partial(deliver, member, message))

        now_ms = self._clock.now_ms()
        self._put(Job(lambda store: offered.extend(self._exchange.offered(store, now_ms)), hand_over))

    def look(self, id: str) -> None:
        """Look at a watched promise: it may have settled before it was watched, or have no timer of its own."""
        self._put(Submission([PromiseGet(id)], partial(self._found, id)))

    def look_at_deadlines(self) -> None:
        """Look at watched promises whose deadline nobody else notices."""
        for id in self.watches.take_deadlines(self._clock.now_ms()):
            self.look(id)

    def _found(self, id: str, responses: list[Response]) -> None:
        response = responses[0]
        promise = response.promise
        if response.status == 0:  # the store could not be read: a watch must not get lost over that
            self.watches.look_again_at(self._clock.now_ms() + PAUSE_MS, id)
        elif promise is None or (promise.state == "pending" and is_internal(promise.tags)):
            if self._exchange.is_listening:
                self.watches.look_on_news(id)
            if promise is not None:
                self.watches.look_again_at(promise.timeout_at, id)
        elif promise.state != "pending":
            for on_settled, settled in self.watches.take([promise]):
                self._post(partial(call, on_settled, settled))

    # -- other processes -----------------------------------------------------------------------------------------

    def read_news(self) -> None:
        """Carry out what other processes have left for this one."""
        if not self._exchange.has_news:
            return
        notes = self._exchange.take_news()
        if notes is None:
            self.offer_all()
            for id in self.watches.ids():
                self.look(id)
            return
        for note in notes:
            self._carry_out(note)
        for id in self.watches.take_for_news():
            self.look(id)

    def _carry_out(self, note: Note) -> None:
        if note.kind == "settled":
            if note.id in self.watches:
                self.look(note.id)
            return
        member = self._exchange.members.get(note.group, note.pid)
        if member is None:
            return
        if note.kind == "execute":
            self._post(partial(deliver, member, Execute(note.id, note.version or 0)))
        else:
            self._put(Submission([PromiseGet(note.id)], partial(self._unblock, member)))

    def _unblock(self, member: Member, responses: list[Response]) -> None:
        promise = responses[0].promise
        if promise is not None and promise.state != "pending":
            self._post(partial(deliver, member, Unblock(promise)))


def call(callback: Callable[[Any], None], argument: Any) -> None:
    """Call back; what the other side raises is its own trouble, not the server's."""
    try:
        callback(argument)
    except Exception:  # noqa: BLE001 - code of the worker side
        _log.exception("a callback of the embedded server failed")
