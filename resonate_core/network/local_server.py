"""The embedded server of one store: a queue, a thread, a clock.

The thread takes whatever has been submitted since it last looked, runs it with all due timers in one transaction,
commits once, and only then answers. While it waits for the disk the next batch gathers: that is group commit.

A worker's thread hands over whole batches itself and has nothing else to do until they are answered (``submit_all``).
If the server is idle, its turn is taken on that thread: two switches of threads less, a third of a step's time. It
never overtakes what was submitted before.

Inline mode has no thread: ``submit`` runs at once in the caller, messages wait for ``pump``, timers for ``run_due``. It
makes tests and simulations repeatable.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from resonate_core.errors import StoreBusyError, UsageError
from resonate_core.limits import RETRY_MS
from resonate_core.network.local_engine import NEVER_MS, PAUSE_MS, Engine, Job, Submission
from resonate_core.network.local_exchange import Exchange
from resonate_core.network.local_notices import Notices, call
from resonate_core.protocol.requests import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resonate_core.clock import Clock
    from resonate_core.network.local_members import Member
    from resonate_core.network.local_watch import OnSettled
    from resonate_core.network.port import Done
    from resonate_core.protocol.requests import Request
    from resonate_core.store.port import Store

_log = logging.getLogger(__name__)

#: How often a waiting process looks whether another one has committed (one cheap read of shared memory): while there is
#: something going on, and when nothing has been for a while.
POLL_MS: Final = 8
POLL_IDLE_MS: Final = 25
IDLE_AFTER_MS: Final = 2_000

#: Longest wait for a timer: the clock may be set while we wait, and platforms do not take a wait until the year 9999.
WAIT_MAX_MS: Final = 1_000

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
        self._exchange = Exchange(store.board)
        self._engine = Engine(store, clock, self._exchange, retry_ms=retry_ms)
        self._notices = Notices(self._exchange, clock, put=self._put, post=self._post)
        self._watches = self._notices.watches
        self._queue: deque[Submission | Job] = deque()
        self._mail: deque[Callable[[], None]] = deque()
        self._condition = threading.Condition()
        #: Held while a turn is taken, by whichever thread takes it.
        self._turn_lock = threading.Lock()
        self._turn_owner: int | None = None
        #: Whether the thread has taken something from the queue that it has not carried out yet.
        self._is_taken = False
        self._wakes_at_ms = NEVER_MS
        self._busy_at_ms = 0
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

    def submit_all(self, submissions: Sequence[Submission]) -> None:
        """Carry out series that come together, on the caller's thread if nobody else is served just now."""
        if self._thread is None or not self._turn_lock.acquire(blocking=False):
            self._put_all(submissions)
            return
        try:
            with self._condition:
                is_free = not (self._queue or self._is_taken or self._is_stopping)
            if is_free:
                self._turn_owner = threading.get_ident()
                self._turn(list(submissions), fires=True)
        finally:
            self._turn_owner = None
            self._turn_lock.release()
        if not is_free:
            self._put_all(submissions)
            return
        with self._condition:  # held, because the thread decides under it how long it sleeps
            if self._engine.next_due_ms < self._wakes_at_ms or self._exchange.has_news:
                self._condition.notify()

    def _put_all(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions:
            self._put(submission)

    def attach(self, member: Member) -> None:
        """Begin to deliver; a new worker is offered what waits for it."""

        def join(_: Store) -> None:
            self._exchange.join(member)
            self._engine.forget_timers()

        self._put(Job(join, lambda: None))
        if member.is_worker:
            self._notices.offer_all()

    def detach(self, group: str, pid: str) -> None:
        """Stop delivering; returns when the last delivery is over."""
        self._do(lambda _: self._exchange.leave(group, pid))

    def watch(self, promise_id: str, on_settled: OnSettled) -> None:
        """Tell once when a promise is settled, or at once when it is."""
        self._watches.add(promise_id, on_settled)
        if self.store.board is not None and not self._exchange.is_listening:
            self._put(Job(lambda _: self._exchange.announce(), lambda: None))
        self._notices.look(promise_id)

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
            self._close()
        elif not self._is_own_turn():
            self._thread.join()

    def abandon(self) -> None:
        """In a forked child: refuse everything, touch nothing, for the file is the parent's."""
        self._condition = threading.Condition()
        self._is_stopping = True
        self._thread = None
        if self.store.board is not None:
            self.store.board.abandon()

    # -- time ----------------------------------------------------------------------------------------------------

    def next_due_ms(self) -> int | None:
        """Return the instant of the next timer, or None."""
        found: list[int | None] = [self._watches.next_deadline_ms]
        self._do(lambda store: found.append(store.next_due(self._exchange.members.routes)))
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
        self._engine.look()
        self._notices.read_news()
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
        if not self._is_own_turn():
            over.wait()

    def _is_own_turn(self) -> bool:
        """Whether a callback of ours is calling: it must not wait for what comes after it."""
        return threading.current_thread() is self._thread or threading.get_ident() == self._turn_owner

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
        try:
            while (batch := self._next_batch()) is not None:
                self._work(batch)
        finally:
            self._refuse_rest()
            with self._turn_lock:
                self._close()

    def _work(self, batch: list[Submission | Job]) -> None:
        """One turn of the thread, which must not end before it is told to."""
        try:
            with self._turn_lock:
                self._turn(batch, fires=True)
                self._notices.read_news()
                self._is_taken = False
        except Exception as error:  # noqa: BLE001 - a store that cannot be read now may be readable in a second
            is_busy = isinstance(self.store.explain(error), StoreBusyError)  # another process is tidying up
            if not is_busy:
                _log.exception("the embedded server of %s could not look at its store; trying again", self.store.path)
            with self._condition:
                self.clock.wait(self._condition, POLL_MS if is_busy else PAUSE_MS)

    def _refuse_rest(self) -> None:
        """Answer whatever is left, so that nobody waits for ever."""
        with self._condition:
            self._is_stopping = True
            rest = [*self._queue]
            self._queue.clear()
        for item in rest:
            _refuse(item, self.store.path)

    def _close(self) -> None:
        self._engine.run([Job(lambda _: self._exchange.close(), lambda: None)], fires=False)
        self.store.close()

    def _next_batch(self) -> list[Submission | Job] | None:
        """Wait for work or for time to pass; None when everything is answered and the server stops."""
        queue = self._queue
        with self._condition:
            if not (queue or self._is_stopping or self._exchange.has_news):
                wait_ms = self._wait_ms()
                if wait_ms is None or wait_ms > 0:
                    self._wakes_at_ms = NEVER_MS if wait_ms is None else self.clock.now_ms() + wait_ms
                    self.clock.wait(self._condition, wait_ms)
            if self._is_stopping and not queue:
                return None
            self._is_taken = bool(queue)
            return [queue.popleft() for _ in range(min(len(queue), BATCH_COUNT_MAX))]

    def _wait_ms(self) -> int | None:
        now_ms = self.clock.now_ms()
        soonest = min(self._engine.next_due_ms, self._watches.next_deadline_ms or NEVER_MS)
        if self._exchange.is_listening:
            is_idle = now_ms - self._busy_at_ms > IDLE_AFTER_MS
            soonest = min(soonest, now_ms + (POLL_IDLE_MS if is_idle else POLL_MS))
        return None if soonest >= NEVER_MS else min(soonest - now_ms, WAIT_MAX_MS)

    def _turn(self, batch: list[Submission | Job], *, fires: bool) -> int:
        """Run a batch, commit, and tell everybody; return how many timers fired."""
        self._notices.look_at_deadlines()
        if not batch:
            self._engine.look()
            if self.clock.now_ms() < self._engine.next_due_ms:
                return 0
        self._busy_at_ms = self.clock.now_ms()
        commits = self._engine.run(batch, fires=fires)
        for commit in commits:
            self._notices.tell(commit)
        return sum(commit.fired for commit in commits)

    def _post(self, notice: Callable[[], None]) -> None:
        """Notify now, or, inline, when pumped."""
        if self._thread is None:
            self._mail.append(notice)
        else:
            notice()


def _refuse(item: Submission | Job, path: str) -> None:
    """Answer what comes after the end."""
    if isinstance(item, Submission):
        closed = Response(0, error=f"the embedded server of {path} is stopped")
        call(item.done, [closed] * len(item.requests))
    else:
        item.done()
