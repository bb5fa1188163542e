"""The embedded server of one store: a queue, a thread, a clock.

The thread takes whatever has been submitted since it last looked, runs it with all due timers in one transaction,
commits once, and only then answers. While it waits for the disk the next batch gathers: that is group commit.

Inline mode has no thread: ``submit`` runs at once in the caller, messages wait for ``pump``, timers for ``run_due``. It
makes tests and simulations repeatable.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from resonate_core.errors import UsageError
from resonate_core.limits import RETRY_MS
from resonate_core.machine.lifecycle import is_internal
from resonate_core.network.local_engine import NEVER_MS, Engine, Job, Submission
from resonate_core.network.local_members import Member, Members, deliver
from resonate_core.network.local_watch import Watches
from resonate_core.protocol.addresses import anycast, unicast
from resonate_core.protocol.requests import Execute, PromiseGet, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.clock import Clock
    from resonate_core.network.local_engine import Commit
    from resonate_core.network.local_watch import OnSettled
    from resonate_core.network.port import Done
    from resonate_core.protocol.requests import Request
    from resonate_core.store.port import Store

_log = logging.getLogger(__name__)

#: Submissions in one transaction: bounds how long the first of them waits for the last.
BATCH_COUNT_MAX: Final = 1_024


class LocalServer:
    """Serves one store to the networks of this process.

    Args:
        store: used by this server alone.
        clock: of the server; a virtual one makes time pass when told.
        inline: no thread; see the module.
        retry_ms: how long a pending task waits before it is offered again.
    """

    def __init__(self, store: Store, clock: Clock, *, inline: bool = False, retry_ms: int = RETRY_MS) -> None:
        if retry_ms < 1:
            raise UsageError(f"retry_ms must be at least 1, got {retry_ms}")
        self.clock = clock
        self.store = store
        self._engine = Engine(store, clock, retry_ms=retry_ms)
        self._members = Members()
        self._watches = Watches()
        self._queue: deque[Submission | Job] = deque()
        self._mail: deque[Callable[[], None]] = deque()
        self._condition = threading.Condition()
        self._is_stopping = False
        self._is_running = False
        self._thread: threading.Thread | None = None
        if not inline:
            self._thread = threading.Thread(target=self._serve, name=f"resonate-store {store.path}", daemon=True)
            self._thread.start()

    # -- for networks --------------------------------------------------------------------------------------------

    def submit(self, requests: Sequence[Request], done: Done, *, atomic: bool = False) -> None:
        """Queue a series; answers come on the server's thread, after the commit."""
        self._put(Submission(list(requests), done, atomic))

    def attach(self, member: Member) -> None:
        """Begin to deliver; a new worker is offered what waits for it."""
        offered: list[Execute] = []

        def look(store: Store) -> None:
            self._members.put(member)
            self._engine.forget_timers()
            if member.is_worker:
                for address in (anycast(member.group), unicast(member.group, member.pid)):
                    offered.extend(Execute(task.id, task.version) for task in store.offered(address))

        def hand_over() -> None:
            for message in offered:
                self._post(partial(deliver, member, message))

        self._put(Job(look, hand_over))

    def detach(self, group: str, pid: str) -> None:
        """Stop delivering; returns when the last delivery is over."""
        self._do(lambda _: self._members.remove(group, pid))

    def watch(self, promise_id: str, on_settled: OnSettled) -> None:
        """Tell once when a promise is settled, or at once when it is."""
        self._watches.add(promise_id, on_settled)
        self._look(promise_id)

    def unwatch(self, promise_id: str, on_settled: OnSettled) -> None:
        """Forget a watch."""
        self._watches.remove(promise_id, on_settled)

    def close(self) -> None:
        """Answer what is queued, then let go of the store."""
        with self._condition:
            if self._is_stopping:
                return
            self._is_stopping = True
            self._condition.notify_all()
        if self._thread is None:
            self.store.close()
        elif threading.current_thread() is not self._thread:
            self._thread.join()

    # -- time ----------------------------------------------------------------------------------------------------

    def next_due_ms(self) -> int | None:
        """Return the instant of the next timer, or None."""
        found: list[int | None] = [self._watches.next_deadline_ms]
        self._do(lambda store: found.append(store.next_due(self._members.routes)))
        return min((instant for instant in found if instant is not None), default=None)

    def run_due(self) -> int:
        """Fire everything that is due now and return how many timers that were; inline mode only."""
        if self._thread is not None:
            raise UsageError("run_due is for inline mode; a server with a thread fires its timers itself")
        total = 0
        while True:
            self._engine.forget_timers()
            fired = self._turn([], fires=True)
            if not fired:
                return total
            total += fired

    def pump(self) -> int:
        """Deliver queued messages and notices, also those that come up meanwhile; inline mode only."""
        count = 0
        while self._mail:
            self._mail.popleft()()
            count += 1
        return count

    # -- the queue -----------------------------------------------------------------------------------------------

    def _put(self, item: Submission | Job) -> None:
        with self._condition:
            is_open = not self._is_stopping
            if is_open:
                self._queue.append(item)
                self._condition.notify()
        if not is_open:
            _refuse(item, self.store.path)
        elif self._thread is None:
            self._drain()

    def _do(self, run: Callable[[Store], None]) -> None:
        """Run something inside a transaction and wait for it, unless this is the server's own thread."""
        over = threading.Event()
        self._put(Job(run, over.set))
        if threading.current_thread() is not self._thread:
            over.wait()

    def _drain(self) -> None:
        """Run what is queued, in the caller; what that submits in turn is taken by the loop that already runs."""
        if self._is_running:
            return
        self._is_running = True
        try:
            while self._queue:
                self._turn([self._queue.popleft()], fires=False)
        finally:
            self._is_running = False

    def _serve(self) -> None:
        while True:
            batch = self._next_batch()
            if batch is None:
                break
            self._turn(batch, fires=True)
        self.store.close()

    def _next_batch(self) -> list[Submission | Job] | None:
        """Wait for work or for time to pass; None when everything is answered and the server stops."""
        queue = self._queue
        with self._condition:
            if not queue and not self._is_stopping:
                wait_ms = self._wait_ms()
                if wait_ms is None or wait_ms > 0:
                    self.clock.wait(self._condition, wait_ms)
            if self._is_stopping and not queue:
                return None
            return [queue.popleft() for _ in range(min(len(queue), BATCH_COUNT_MAX))]

    def _wait_ms(self) -> int | None:
        now_ms = self.clock.now_ms()
        soonest = min(self._engine.next_due_ms, self._watches.next_deadline_ms or NEVER_MS)
        return None if soonest >= NEVER_MS else soonest - now_ms

    def _turn(self, batch: list[Submission | Job], *, fires: bool) -> int:
        """Run a batch, commit, and tell everybody; return how many timers fired."""
        for id in self._watches.take_deadlines(self.clock.now_ms()):  # noqa: A001 - the protocol's word
            self._look(id)
        if not batch and self.clock.now_ms() < self._engine.next_due_ms:
            return 0
        commits = self._engine.run(batch, routes=self._members.routes, fires=fires)
        for commit in commits:
            self._tell(commit)
        return sum(commit.fired for commit in commits)

    def _tell(self, commit: Commit) -> None:
        """Answer, in the order of submission, then notify."""
        for done, responses in commit.answers:
            _call(done, responses)
        for job_done in commit.jobs:
            job_done()
        for outgoing in commit.outbox:
            member = self._members.choose(outgoing)
            if member is not None:
                self._post(partial(deliver, member, outgoing.message))
        for on_settled, promise in self._watches.take(commit.settled.values()):
            self._post(partial(_call, on_settled, promise))

    def _post(self, notice: Callable[[], None]) -> None:
        """Notify now, or, inline, when pumped."""
        if self._thread is None:
            self._mail.append(notice)
        else:
            notice()

    def _look(self, id: str) -> None:  # noqa: A002 - the protocol's word
        """Look at a watched promise: it may have settled before it was watched, or have no timer of its own."""

        def found(responses: list[Response]) -> None:
            promise = responses[0].promise
            if promise is None:
                return
            if promise.state == "pending":
                if is_internal(promise.tags):
                    self._watches.look_again_at(promise.timeout_at, id)
                return
            for on_settled, settled in self._watches.take([promise]):
                self._post(partial(_call, on_settled, settled))

        self._put(Submission([PromiseGet(id)], found))


def _call(callback: Callable[[Any], None], argument: Any) -> None:
    """Call back; what the other side raises is its own trouble, not the server's."""
    try:
        callback(argument)
    except Exception:  # noqa: BLE001 - code of the worker side
        _log.exception("a callback of the embedded server failed")


def _refuse(item: Submission | Job, path: str) -> None:
    """Answer what comes after the end."""
    if isinstance(item, Submission):
        closed = Response(0, error=f"the embedded server of {path} is stopped")
        _call(item.done, [closed] * len(item.requests))
    else:
        item.done()
