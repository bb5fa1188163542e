"""A store in memory: plain dicts, with a journal for undoing and heaps for timers.

A heap may hold entries that are no longer true; they are dropped when they come to the top. Nothing else is lazy.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from resonate_core.errors import StoreError
from resonate_core.machine.lifecycle import as_of, is_internal
from resonate_core.machine.timers import Due
from resonate_core.protocol.addresses import route
from resonate_core.protocol.records import TAG_BRANCH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from resonate_core.machine.state import Effects, TaskRow
    from resonate_core.protocol.records import PromiseRecord, ScheduleRecord
    from resonate_core.protocol.requests import PromiseSearch, ScheduleSearch, TaskSearch
    from resonate_core.store.board import Board

_Heap = list[tuple[int, str]]


class MemoryStore:
    """Everything in this process; gone when it ends."""

    def __init__(self) -> None:
        self.path = "memory:"
        self.board: Board | None = None
        self.promises: dict[str, PromiseRecord] = {}
        self.tasks: dict[str, TaskRow] = {}
        self.schedules: dict[str, ScheduleRecord] = {}
        self._awaiters: dict[str, dict[str, bool]] = {}
        self._awaited: dict[str, dict[str, bool]] = {}
        self._listeners: dict[str, dict[str, bool]] = {}
        self._branches: dict[str, dict[str, bool]] = {}
        self._tails: dict[str, int] = {}
        self._letters: dict[tuple[str, str], int] = {}
        self._journal: list[tuple[dict[Any, Any], Any, Any]] = []
        self._mark = 0
        self._promise_heap: _Heap = []
        self._lease_heap: _Heap = []
        self._retry_heaps: dict[str, _Heap] = defaultdict(list)
        self._schedule_heap: _Heap = []
        self._orders: dict[int, list[str]] = {}

    # -- transactions --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start a transaction."""
        self._journal.clear()
        self._mark = 0

    def commit(self) -> None:
        """Keep everything since ``begin``."""
        self._journal.clear()

    def rollback(self) -> None:
        """Forget everything since ``begin``."""
        self._undo_to(0)

    def mark(self) -> None:
        """Remember this point of the transaction."""
        self._mark = len(self._journal)

    def undo(self) -> None:
        """Forget everything since ``mark``."""
        self._undo_to(self._mark)

    def release(self) -> None:
        """Keep everything since ``mark``."""

    def explain(self, error: Exception) -> StoreError:
        """Return what went wrong in our words."""
        return StoreError(f"{type(error).__name__}: {error}", path=self.path)

    def close(self) -> None:
        """Nothing to let go of."""

    def _undo_to(self, length: int) -> None:
        while len(self._journal) > length:
            table, key, old = self._journal.pop()
            self._orders.pop(id(table), None)
            if old is None:
                table.pop(key, None)
            else:
                table[key] = old

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Change one entry, so that it can be undone; None removes it."""
        old = table.get(key)
        self._journal.append((table, key, old))
        if old is None or value is None:
            self._orders.pop(id(table), None)
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    def _link(self, table: dict[str, dict[str, bool]], one: str, other: str, *, is_added: bool) -> None:
        """Change one member of an ordered set."""
        self._set(table.setdefault(one, {}), other, True if is_added else None)

    # -- reading -------------------------------------------------------------------------------------------------

    def promise(self, id: str) -> PromiseRecord | None:
        """One promise."""
        return self.promises.get(id)

    def task(self, id: str) -> TaskRow | None:
        """One task."""
        return self.tasks.get(id)

    def schedule(self, id: str) -> ScheduleRecord | None:
        """One schedule."""
        return self.schedules.get(id)

    def awaiters(self, awaited: str) -> list[str]:
        """Tasks that a promise wakes, ordered."""
        return sorted(self._awaiters.get(awaited, ()))

    def awaited_by(self, awaiter: str) -> list[str]:
        """Promises on which a task has registered, ordered."""
        return sorted(self._awaited.get(awaiter, ()))

    def listeners(self, awaited: str) -> list[str]:
        """Addresses told when a promise settles, ordered."""
        return sorted(self._listeners.get(awaited, ()))

    def branch(self, branch: str) -> list[PromiseRecord]:
        """Promises of a branch, ordered by id."""
        promises = self.promises
        return [promises[one] for one in sorted(self._branches.get(branch, ()))]

    def tail(self, execution: str) -> int:
        """First slot of an inbox that may be free."""
        return self._tails.get(execution, 0)

    def letter(self, execution: str, message_id: str) -> int | None:
        """Slot of an inbox that holds a message."""
        return self._letters.get((execution, message_id))

    def search_promises(self, query: PromiseSearch, now_ms: int) -> list[PromiseRecord]:
        """Matches after the cursor, ordered by id."""

        def is_match(promise: PromiseRecord) -> bool:
            if query.state is not None and as_of(promise, now_ms).state != query.state:
                return False
            return query.tags.items() <= promise.tags.items()

        return self._search(self.promises, query.cursor, query.limit, is_match)

    def search_tasks(self, query: TaskSearch) -> list[TaskRow]:
        """Matches after the cursor, ordered by id."""
        wanted = query.state
        return self._search(self.tasks, query.cursor, query.limit, lambda task: wanted is None or task.state == wanted)

    def search_schedules(self, query: ScheduleSearch) -> list[ScheduleRecord]:
        """Matches after the cursor, ordered by id."""
        wanted = query.tags.items()
        return self._search(self.schedules, query.cursor, query.limit, lambda one: wanted <= one.promise_tags.items())

    def _search(
        self,
        table: Mapping[str, Any],
        cursor: str | None,
        limit: int,
        is_match: Callable[[Any], bool],
    ) -> list[Any]:
        found = []
        for one in self._ids_after(table, cursor):
            row = table.get(one)
            if row is not None and is_match(row):
                found.append(row)
                if len(found) > limit:
                    break
        return found

    def _ids_after(self, table: Mapping[str, Any], cursor: str | None) -> Iterator[str]:
        """Walk ids in order; the order is made when somebody asks and kept until a row comes or goes."""
        ids = self._orders.get(id(table))
        if ids is None:
            ids = self._orders[id(table)] = sorted(table)
        start = 0 if cursor is None else bisect_right(ids, cursor)
        yield from ids[start:]

    # -- writing -------------------------------------------------------------------------------------------------

    def apply(self, effects: Effects) -> None:
        """Store what a decision changes."""
        for promise in effects.created.values():
            self._create(promise)
        for promise in effects.settled.values():
            self._set(self.promises, promise.id, promise)
        for task in effects.tasks.values():
            self._put_task(task)
        for (awaited, awaiter), is_added in effects.callbacks.items():
            self._link(self._awaiters, awaited, awaiter, is_added=is_added)
            self._link(self._awaited, awaiter, awaited, is_added=is_added)
        for (awaited, address), is_added in effects.listeners.items():
            self._link(self._listeners, awaited, address, is_added=is_added)
        for name, schedule in effects.schedules.items():
            self._set(self.schedules, name, schedule)
            if schedule is not None:
                heapq.heappush(self._schedule_heap, (schedule.next_run_at, name))
        for execution, tail in effects.tails.items():
            self._set(self._tails, execution, tail)
        for key, slot in effects.letters.items():
            self._set(self._letters, key, slot)

    def _create(self, promise: PromiseRecord) -> None:
        self._set(self.promises, promise.id, promise)
        branch = promise.tags.get(TAG_BRANCH)
        if branch is not None:
            self._link(self._branches, branch, promise.id, is_added=True)
        if promise.state == "pending" and not is_internal(promise.tags):
            heapq.heappush(self._promise_heap, (promise.timeout_at, promise.id))

    def _put_task(self, task: TaskRow) -> None:
        self._set(self.tasks, task.id, task)
        if task.due_at is not None:
            heap = self._lease_heap if task.state == "acquired" else self._retry_heaps[route(task.address)]
            heapq.heappush(heap, (task.due_at, task.id))

    # -- timers --------------------------------------------------------------------------------------------------

    def due(self, now_ms: int, *, limit: int, routes: Collection[str] | None) -> list[Due]:
        """Timers whose instant has come, in the order to fire them."""
        found = [Due("promise", one) for one in self._take(self._promise_heap, now_ms, limit, self._is_expiring)]
        found += [Due("lease", one) for one in self._take(self._lease_heap, now_ms, limit, self._is_leased)]
        for heap in self._served(routes):
            found += [Due("retry", one) for one in self._take(heap, now_ms, limit, self._is_waiting)]
        found += [Due("schedule", one) for one in self._take(self._schedule_heap, now_ms, limit, self._is_scheduled)]
        return found

    def next_due(self, routes: Collection[str] | None) -> int | None:
        """Instant of the next timer."""
        tops = [
            self._top(self._promise_heap, self._is_expiring),
            self._top(self._lease_heap, self._is_leased),
            self._top(self._schedule_heap, self._is_scheduled),
            *(self._top(heap, self._is_waiting) for heap in self._served(routes)),
        ]
        return min((top for top in tops if top is not None), default=None)

    def offered(self, route: str, now_ms: int, *, limit: int) -> list[TaskRow]:
        """Pending tasks that have been offered and are not due again yet."""
        heap = sorted({entry for entry in self._retry_heaps.get(route, ()) if entry[0] > now_ms})
        rows = [self.tasks[one] for instant, one in heap if self._is_waiting(instant, one)]
        return [row for row in rows if row.is_offered][:limit]

    def _served(self, routes: Collection[str] | None) -> list[_Heap]:
        if routes is None:
            return list(self._retry_heaps.values())
        return [self._retry_heaps[name] for name in routes if name in self._retry_heaps]

    def _take(self, heap: _Heap, now_ms: int, limit: int, is_true: Callable[[int, str], bool]) -> list[str]:
        """Return what is due, each id once. Entries stay until firing has made them untrue."""
        kept: set[tuple[int, str]] = set()
        while heap and heap[0][0] <= now_ms and len(kept) < limit:
            entry = heapq.heappop(heap)
            if is_true(*entry):
                kept.add(entry)
        for entry in kept:
            heapq.heappush(heap, entry)
        return [one for _, one in sorted(kept)]

    def _top(self, heap: _Heap, is_true: Callable[[int, str], bool]) -> int | None:
        while heap and not is_true(*heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def _is_expiring(self, instant: int, id: str) -> bool:
        promise = self.promises.get(id)
        return promise is not None and promise.state == "pending" and promise.timeout_at == instant

    def _is_leased(self, instant: int, id: str) -> bool:
        task = self.tasks.get(id)
        return task is not None and task.state == "acquired" and task.due_at == instant

    def _is_waiting(self, instant: int, id: str) -> bool:
        task = self.tasks.get(id)
        return task is not None and task.state == "pending" and task.due_at == instant

    def _is_scheduled(self, instant: int, id: str) -> bool:
        schedule = self.schedules.get(id)
        return schedule is not None and schedule.next_run_at == instant
