"""What the machine reads (``View``), keeps (``TaskRow``) and changes (``Effects``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from resonate_core.protocol.records import PromiseRecord, ScheduleRecord, TaskRecord, TaskState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resonate_core.protocol.requests import PromiseSearch, ScheduleSearch, Sent, TaskSearch


class TaskRow(msgspec.Struct, frozen=True):
    """A task as stored.

    Attributes:
        due_at: the retry instant of a pending task, the end of the lease of an acquired one.
        deadline: repeats ``timeout_at`` of its promise, so that a fence reads one row.
        last_pid: who held it last; a resume finds the execution warm there.
        is_offered: False while a pending task waits for its first dispatch (``resonate:delay``, timers).
    """

    id: str
    state: TaskState
    version: int
    address: str
    deadline: int
    due_at: int | None = None
    ttl: int | None = None
    pid: str | None = None
    last_pid: str | None = None
    resumes: tuple[str, ...] = ()
    is_offered: bool = False

    @property
    def record(self) -> TaskRecord:
        """The task as responses show it."""
        return TaskRecord(
            id=self.id,
            state=self.state,
            version=self.version,
            resumes=len(self.resumes),
            ttl=self.ttl,
            pid=self.pid,
        )


class Outgoing(msgspec.Struct, frozen=True):
    """A message and where it goes; among several possible receivers, ``prefer`` is the best one."""

    address: str
    message: Sent
    prefer: str | None = None


class Effects:
    """What one decision changes. A promise is either created or settled: nothing else ever happens to one.

    Attributes:
        created: new promises, settled already or not.
        settled: promises that existed as pending before.
        tasks: new and changed tasks.
        callbacks: ``(awaited, awaiter)`` -> True where one is added, False where it goes.
        listeners: ``(awaited, address)`` -> the same.
        schedules: new and changed schedules; None where one goes.
        tails: inbox of an execution -> first slot that may be free.
        letters: ``(execution, message id)`` -> the slot that holds it.
        outbox: messages to deliver once the rest is durable.
    """

    __slots__ = ("callbacks", "created", "letters", "listeners", "outbox", "schedules", "settled", "tails", "tasks")

    def __init__(self) -> None:
        self.created: dict[str, PromiseRecord] = {}
        self.settled: dict[str, PromiseRecord] = {}
        self.tasks: dict[str, TaskRow] = {}
        self.callbacks: dict[tuple[str, str], bool] = {}
        self.listeners: dict[tuple[str, str], bool] = {}
        self.schedules: dict[str, ScheduleRecord | None] = {}
        self.tails: dict[str, int] = {}
        self.letters: dict[tuple[str, str], int] = {}
        self.outbox: list[Outgoing] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes and nobody is told."""
        return not (self.created or self.settled or self.tasks or self.outbox or self._has_links)

    @property
    def _has_links(self) -> bool:
        return bool(self.callbacks or self.listeners or self.schedules or self.tails or self.letters)


class View(Protocol):
    """Reading access to what is stored; every method costs what it returns, not what the store holds."""

    def promise(self, id: str) -> PromiseRecord | None:
        """One promise."""

    def task(self, id: str) -> TaskRow | None:
        """One task."""

    def schedule(self, id: str) -> ScheduleRecord | None:
        """One schedule."""

    def awaiters(self, awaited: str) -> Sequence[str]:
        """Tasks that a promise wakes, ordered."""

    def awaited_by(self, awaiter: str) -> Sequence[str]:
        """Promises on which a task has registered, ordered."""

    def listeners(self, awaited: str) -> Sequence[str]:
        """Addresses told when a promise settles, ordered."""

    def branch(self, branch: str) -> Sequence[PromiseRecord]:
        """Promises whose ``resonate:branch`` is this one, ordered by id."""

    def tail(self, execution: str) -> int:
        """Say which slot of an inbox may be the first free one; all before it are taken."""

    def letter(self, execution: str, message_id: str) -> int | None:
        """Say which slot of an inbox holds a message."""

    def search_promises(self, query: PromiseSearch, now_ms: int) -> Sequence[PromiseRecord]:
        """At most ``limit + 1`` matches after the cursor, ordered by id; states as they read at ``now_ms``."""

    def search_tasks(self, query: TaskSearch) -> Sequence[TaskRow]:
        """At most ``limit + 1`` matches after the cursor, ordered by id."""

    def search_schedules(self, query: ScheduleSearch) -> Sequence[ScheduleRecord]:
        """At most ``limit + 1`` matches after the cursor, ordered by id."""
