"""A store in one SQLite file, shared by any number of processes on this machine.

Reads and writes are prepared queries on one connection, in transactions that take the write lock when they begin, so
that what a decision has read is still true when it is written. Write-ahead log; ``synchronous=FULL`` makes each commit
one fsync of the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from resonate_core.machine.timers import Due
from resonate_core.protocol.records import TAG_BRANCH
from resonate_core.store import queries as q
from resonate_core.store import rows
from resonate_core.store.board import Board
from resonate_core.store.connection import begin_immediate, open_file, translate
from resonate_core.store.presence import Presence

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection
    from pathlib import Path

    from resonate_core.errors import StoreError
    from resonate_core.machine.state import Effects, TaskRow
    from resonate_core.protocol.records import PromiseRecord, ScheduleRecord
    from resonate_core.protocol.requests import PromiseSearch, ScheduleSearch, TaskSearch

Synchronous = Literal["FULL", "NORMAL"]


class SqliteStore:
    """Everything in one file.

    Args:
        path: of the file; made if it does not exist.
        synchronous: ``FULL`` survives a power cut, ``NORMAL`` the death of processes.

    Raises:
        StoreError: or one of its subclasses: the file cannot be opened, is in use, damaged or not ours.
    """

    def __init__(self, path: Path, *, synchronous: Synchronous = "FULL") -> None:
        self.path = str(path)
        self._db = open_file(path, synchronous=synchronous)
        self._execute = self._db.execute
        try:
            self.board: Board | None = Board(self._db, Presence(path))
        except OSError as error:
            self._db.close()
            raise translate(error, self.path, "opening") from error

    # -- transactions --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start a transaction and take the write lock."""
        begin_immediate(self._db)

    def commit(self) -> None:
        """Make everything since ``begin`` durable."""
        self._execute("COMMIT")

    def rollback(self) -> None:
        """Forget everything since ``begin``."""
        if self._db.in_transaction:
            self._execute("ROLLBACK")

    def mark(self) -> None:
        """Remember this point of the transaction."""
        self._execute("SAVEPOINT series")

    def undo(self) -> None:
        """Forget everything since ``mark``."""
        self._execute("ROLLBACK TO series")
        self._execute("RELEASE series")

    def release(self) -> None:
        """Keep everything since ``mark``."""
        self._execute("RELEASE series")

    def explain(self, error: Exception) -> StoreError:
        """Return what went wrong in our words."""
        return translate(error, self.path, "writing")

    def close(self) -> None:
        """Let go of the file."""
        if self.board is not None:
            self.board.close()
        self._db.close()

    # -- reading -------------------------------------------------------------------------------------------------

    def promise(self, id: str) -> PromiseRecord | None:
        """One promise."""
        row = self._execute(q.PROMISE, (id,)).fetchone()
        return None if row is None else rows.read_promise(row)

    def task(self, id: str) -> TaskRow | None:
        """One task."""
        row = self._execute(q.TASK, (id,)).fetchone()
        return None if row is None else rows.read_task(row)

    def schedule(self, id: str) -> ScheduleRecord | None:
        """One schedule."""
        row = self._execute(q.SCHEDULE, (id,)).fetchone()
        return None if row is None else rows.read_schedule(row)

    def awaiters(self, awaited: str) -> list[str]:
        """Tasks that a promise wakes, ordered."""
        return [row[0] for row in self._execute(q.AWAITERS, (awaited,))]

    def awaited_by(self, awaiter: str) -> list[str]:
        """Promises on which a task has registered, ordered."""
        return [row[0] for row in self._execute(q.AWAITED_BY, (awaiter,))]

    def listeners(self, awaited: str) -> list[str]:
        """Addresses told when a promise settles, ordered."""
        return [row[0] for row in self._execute(q.LISTENERS, (awaited,))]

    def branch(self, branch: str) -> list[PromiseRecord]:
        """Promises of a branch, ordered by id."""
        return [rows.read_promise(row) for row in self._execute(q.BRANCH, (branch,))]

    def tail(self, execution: str) -> int:
        """First slot of an inbox that may be free."""
        row = self._execute(q.TAIL, (execution,)).fetchone()
        return 0 if row is None else int(row[0])

    def letter(self, execution: str, message_id: str) -> int | None:
        """Slot of an inbox that holds a message."""
        row = self._execute(q.LETTER, (execution, message_id)).fetchone()
        return None if row is None else int(row[0])

    def search_promises(self, query: PromiseSearch, now_ms: int) -> list[PromiseRecord]:
        """Matches after the cursor, ordered by id."""
        select, conditions = q.PROMISES_SEARCH, ""
        values: list[Any] = [query.cursor or ""]
        first = next((tag for tag in query.tags.items() if rows.is_users_tag(tag[0])), None)
        if first is not None:
            select, values = q.PROMISES_SEARCH_TAGGED, [*first, *values]
        if query.state is not None:
            conditions += q.READS_AS[query.state]
            values.append(now_ms)
        for key, value in query.tags.items():
            conditions += q.IN_BRANCH if key == TAG_BRANCH else q.HAS_TAG
            values += [value] if key == TAG_BRANCH else [key, value]
        return [rows.read_promise(row) for row in self._search(select, conditions, values, query.limit)]

    def search_tasks(self, query: TaskSearch) -> list[TaskRow]:
        """Matches after the cursor, ordered by id."""
        cursor, limit = query.cursor or "", query.limit + 1
        if query.state is None:
            found = self._execute(q.TASKS_SEARCH, (cursor, limit))
        else:
            found = self._execute(q.TASKS_SEARCH_STATE, (cursor, query.state, limit))
        return [rows.read_task(row) for row in found]

    def search_schedules(self, query: ScheduleSearch) -> list[ScheduleRecord]:
        """Matches after the cursor, ordered by id."""
        values: list[Any] = [query.cursor or ""]
        for key, value in query.tags.items():
            values += [key, value]
        conditions = q.HAS_TAG * len(query.tags)
        return [rows.read_schedule(row) for row in self._search(q.SCHEDULES_SEARCH, conditions, values, query.limit)]

    def _search(self, query: str, conditions: str, values: list[Any], limit: int) -> sqlite3.Cursor:
        return self._execute(query.format(conditions=conditions), (*values, limit + 1))

    # -- writing -------------------------------------------------------------------------------------------------

    def apply(self, effects: Effects) -> None:
        """Store what a decision changes."""
        execute = self._execute
        for promise in effects.created.values():
            execute(q.PROMISE_INSERT, rows.write_promise(promise))
            for tag in rows.write_tags(promise):
                execute(q.TAG_ADD, tag)
        for promise in effects.settled.values():
            execute(q.PROMISE_SETTLE, rows.write_settlement(promise))
        for task in effects.tasks.values():
            execute(q.TASK_PUT, rows.write_task(task))
        for link, is_added in effects.callbacks.items():
            execute(q.CALLBACK_ADD if is_added else q.CALLBACK_REMOVE, link)
        for link, is_added in effects.listeners.items():
            execute(q.LISTENER_ADD if is_added else q.LISTENER_REMOVE, link)
        self._put_schedules(effects)
        self._put_letters(effects)

    def _put_schedules(self, effects: Effects) -> None:
        for name, schedule in effects.schedules.items():
            if schedule is None:
                self._execute(q.SCHEDULE_REMOVE, (name,))
            else:
                self._execute(q.SCHEDULE_PUT, rows.write_schedule(schedule))

    def _put_letters(self, effects: Effects) -> None:
        for tail in effects.tails.items():
            self._execute(q.TAIL_PUT, tail)
        for (execution, message_id), slot in effects.letters.items():
            self._execute(q.LETTER_PUT, (execution, message_id, slot))

    # -- timers --------------------------------------------------------------------------------------------------

    def due(self, now_ms: int, *, limit: int, routes: Collection[str] | None) -> list[Due]:
        """Timers whose instant has come, in the order to fire them."""
        bounds = (now_ms, limit)
        found = [Due("promise", row[0]) for row in self._execute(q.PROMISES_DUE, bounds)]
        found += [Due("lease", row[0]) for row in self._execute(q.LEASES_DUE, bounds)]
        for route in self._served(routes):
            found += [Due("retry", row[0]) for row in self._execute(q.RETRIES_DUE, (route, *bounds))]
        found += [Due("schedule", row[0]) for row in self._execute(q.SCHEDULES_DUE, bounds)]
        return found

    def next_due(self, routes: Collection[str] | None) -> int | None:
        """Instant of the next timer."""
        found = [self._execute(query).fetchone()[0] for query in (q.PROMISES_NEXT, q.LEASES_NEXT, q.SCHEDULES_NEXT)]
        found += [self._execute(q.RETRIES_NEXT, (route,)).fetchone()[0] for route in self._served(routes)]
        return min((instant for instant in found if instant is not None), default=None)

    def offered(self, route: str, now_ms: int, *, limit: int) -> list[TaskRow]:
        """Pending tasks that have been offered and are not due again yet."""
        return [rows.read_task(row) for row in self._execute(q.OFFERED, (route, now_ms, limit))]

    def _served(self, routes: Collection[str] | None) -> Collection[str]:
        if routes is not None:
            return routes
        return [row[0] for row in self._execute(q.ROUTES)]
