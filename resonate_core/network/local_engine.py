"""Transactions of the embedded server: due timers first, then series of requests, one commit for all of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from resonate_core.machine.decide import decide, fire
from resonate_core.protocol.requests import Acquired, Execute, Response, TaskAcquire

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from resonate_core.clock import Clock
    from resonate_core.machine.state import Effects, Outgoing
    from resonate_core.machine.timers import Due
    from resonate_core.network.local_exchange import Exchange
    from resonate_core.network.local_members import Member
    from resonate_core.network.port import Done
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Message, Request
    from resonate_core.store.port import Store

_log = logging.getLogger(__name__)

#: Timers of one kind fired in one go, and how often in one transaction: a backlog must not starve requests.
SWEEP_COUNT: Final = 256
SWEEP_PASSES: Final = 4

_NOT_TRIED: Final = Response(424, error="an earlier request of the same submission failed")
#: Retry instant of tasks that pile up because workers are full: offering all of them each second would help nobody.
FLOOD_RETRY_MS: Final = 30_000

#: Pause before timers are tried again on a store that fails.
PAUSE_MS: Final = 1_000


#: Later than every instant.
NEVER_MS: Final = 2**63


class Submission(msgspec.Struct, frozen=True):
    """Requests that belong together, and who gets the answers."""

    requests: Sequence[Request]
    done: Done
    is_atomic: bool = False


class Job(msgspec.Struct, frozen=True):
    """Something that the server itself does inside a transaction; ``done`` follows the commit."""

    run: Callable[[Store], None]
    done: Callable[[], None]


class Commit:
    """What a transaction has made true."""

    __slots__ = ("answers", "deliveries", "fired", "jobs", "outbox", "settled")

    def __init__(self) -> None:
        self.fired = 0
        self.answers: list[tuple[Done, list[Response]]] = []
        self.jobs: list[Callable[[], None]] = []
        self.deliveries: list[tuple[Member, Message]] = []
        self.outbox: list[Outgoing] = []
        self.settled: dict[str, PromiseRecord] = {}

    def add(self, effects: Effects) -> None:
        """Take in what one decision has changed."""
        self.outbox += effects.outbox
        self.settled.update(effects.settled)
        for promise in effects.created.values():
            if promise.state != "pending":
                self.settled[promise.id] = promise


class Engine:
    """Runs decisions against a store. One thread at a time.

    Args:
        store: where state is kept.
        clock: read once for each transaction.
        exchange: decides, before the commit, who gets which message.
        retry_ms: how long a pending task waits before it is offered again.
    """

    def __init__(self, store: Store, clock: Clock, exchange: Exchange, *, retry_ms: int) -> None:
        self.store = store
        self.exchange = exchange
        self.clock = clock
        self.retry_ms = retry_ms
        self.next_due_ms = 0
        self._broken: set[Due] = set()

    def forget_timers(self) -> None:
        """Look for due timers in the next transaction, whatever was known of them."""
        self.next_due_ms = 0

    def look(self) -> None:
        """Notice what other processes have committed, without taking the write lock."""
        if self.exchange.look():
            upcoming = self.store.next_due(self.exchange.members.routes)
            self.next_due_ms = NEVER_MS if upcoming is None else upcoming

    def run(self, batch: Sequence[Submission | Job], *, fires: bool) -> list[Commit]:
        """Carry out a batch in one transaction; in one each if that fails, so that one bad request fails alone.

        Args:
            batch: in order of arrival.
            fires: whether due timers fire as well.
        """
        try:
            return [self._transaction(batch, fires=fires)]
        except Exception as error:  # noqa: BLE001 - the server outlives any request and any failing disk
            self._give_up(error)
            if len(batch) > 1:
                return [commit for one in batch for commit in self.run([one], fires=False)]
            return [self._failed(error, batch, fires=fires)]

    def _transaction(self, batch: Sequence[Submission | Job], *, fires: bool) -> Commit:
        commit = Commit()
        self.store.begin()
        if self.exchange.look():
            self.next_due_ms = 0
        now_ms = self.clock.now_ms()
        if fires:
            commit.fired = self.fire_due(commit, now_ms, self.exchange.members.routes)
        for item in batch:
            if isinstance(item, Submission):
                commit.answers.append((item.done, self.series(item, commit, now_ms)))
            else:
                item.run(self.store)
                commit.jobs.append(item.done)
        self.exchange.dispatch(commit, now_ms)
        self._acquire_at_once(commit, now_ms)
        self.store.commit()
        return commit

    def _acquire_at_once(self, commit: Commit, now_ms: int) -> None:
        """Take the tasks that this transaction offers to workers of this process in their name; see ``port.Lease``.

        What the machine refuses (the task was settled by a later request) goes out as an offer, and is refused there.
        """
        for number, (member, message) in enumerate(commit.deliveries):
            lease = member.lease
            if lease is None or not isinstance(message, Execute) or not member.takes_at_once:
                continue
            request = TaskAcquire(message.id, message.version, member.pid, lease.ttl_ms)
            response, effects = decide(self.store, request, now_ms=now_ms, retry_ms=self.retry_ms)
            if not effects.is_empty:
                self.store.apply(effects)
                self._note(effects, commit)
            if response.is_ok:
                commit.deliveries[number] = (member, Acquired(message.id, response))

    def _give_up(self, error: Exception) -> None:
        try:
            self.store.rollback()
        except Exception:  # noqa: BLE001 - the transaction is gone with the connection; report the first error
            _log.exception("undoing a transaction on %s failed after %r", self.store.path, error)
        self.next_due_ms = 0

    def _failed(self, error: Exception, batch: Sequence[Submission | Job], *, fires: bool) -> Commit:
        """Answer a submission that could not be carried out; without one, try the timers later."""
        commit = Commit()
        explained = self.store.explain(error)
        if fires and not batch:
            _log.error("timers of %s could not fire, trying again in %d ms: %s", self.store.path, PAUSE_MS, explained)
            self.next_due_ms = self.clock.now_ms() + PAUSE_MS
        for item in batch:
            if isinstance(item, Submission):
                refusal = Response(0, error=str(explained))
                commit.answers.append((item.done, [refusal] + [_NOT_TRIED] * (len(item.requests) - 1)))
            else:
                _log.error("work on %s failed: %s", self.store.path, explained)
                commit.jobs.append(item.done)
        return commit

    def series(self, submission: Submission, commit: Commit, now_ms: int) -> list[Response]:
        """Carry out requests in order until one fails."""
        store = self.store
        requests = submission.requests
        is_guarded = submission.is_atomic and len(requests) > 1
        if is_guarded:
            store.mark()
        responses: list[Response] = []
        done: list[Effects] = []
        for request in requests:
            response, effects = decide(store, request, now_ms=now_ms, retry_ms=self.retry_ms)
            responses.append(response)
            if not effects.is_empty:
                store.apply(effects)
                done.append(effects)
            if response.status not in (200, 300):
                break
        is_whole = len(responses) == len(requests) and (not responses or responses[-1].status in (200, 300))
        if is_guarded:
            self._end_guard(done, is_whole=is_whole)
        for effects in done:
            self._note(effects, commit)
        responses += [_NOT_TRIED] * (len(requests) - len(responses))
        return responses

    def _end_guard(self, done: list[Effects], *, is_whole: bool) -> None:
        if is_whole:
            self.store.release()
        else:
            self.store.undo()
            done.clear()

    def _note(self, effects: Effects, commit: Commit) -> None:
        """Pass on what a decision has changed; keep the next timer a lower bound, never late."""
        commit.add(effects)
        soonest = self.next_due_ms
        for promise in effects.created.values():
            if promise.state == "pending":
                soonest = min(soonest, promise.timeout_at)
        for task in effects.tasks.values():
            if task.due_at is not None:
                soonest = min(soonest, task.due_at)
        for schedule in effects.schedules.values():
            if schedule is not None:
                soonest = min(soonest, schedule.next_run_at)
        self.next_due_ms = soonest

    def fire_due(self, commit: Commit, now_ms: int, routes: Collection[str] | None) -> int:
        """Fire timers whose instant has come; return how many. What is left over is due still."""
        if now_ms < self.next_due_ms:
            return 0
        count = 0
        for _ in range(SWEEP_PASSES):
            found = self.store.due(now_ms, limit=SWEEP_COUNT, routes=routes)
            is_flooded = sum(due.kind == "retry" for due in found) >= SWEEP_COUNT
            retry_ms = max(self.retry_ms, FLOOD_RETRY_MS) if is_flooded else self.retry_ms
            fired = [due for due in found if due not in self._broken and self._fire(due, commit, now_ms, retry_ms)]
            count += len(fired)
            if not fired:
                break
        upcoming = self.store.next_due(routes)
        if upcoming is not None and upcoming <= now_ms and not count:
            upcoming = now_ms + PAUSE_MS  # only timers that cannot be fired are due
        self.next_due_ms = NEVER_MS if upcoming is None else upcoming
        return count

    def _fire(self, due: Due, commit: Commit, now_ms: int, retry_ms: int) -> bool:
        try:
            effects = fire(self.store, due, now_ms=now_ms, retry_ms=retry_ms)
        except (ValueError, LookupError, ArithmeticError):
            # One unreadable row must not stop all other timers; it stays as it is, for somebody to look at.
            _log.exception("timer %s of %r cannot be fired; it is left alone until the next start", due.kind, due.id)
            self._broken.add(due)
            return False
        if not effects.is_empty:
            self.store.apply(effects)
            self._note(effects, commit)
        return True
