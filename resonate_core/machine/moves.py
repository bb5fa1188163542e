"""The state machine of a task, as a table and one small function."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from resonate_core.limits import INT64_MAX
from resonate_core.machine.refusal import conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resonate_core.machine.state import TaskRow
    from resonate_core.protocol.records import TaskState

TaskEvent = Literal["acquire", "release", "lapse", "suspend", "resume", "halt", "continue", "settle"]

#: (state, event) -> next state. Every pair not listed is a conflict.
TASK_MOVES: Final[Mapping[tuple[TaskState, TaskEvent], TaskState]] = MappingProxyType(
    {
        ("pending", "acquire"): "acquired",
        ("pending", "halt"): "halted",
        ("pending", "settle"): "fulfilled",
        ("acquired", "release"): "pending",
        ("acquired", "lapse"): "pending",
        ("acquired", "suspend"): "suspended",
        ("acquired", "halt"): "halted",
        ("acquired", "settle"): "fulfilled",
        ("suspended", "resume"): "pending",
        ("suspended", "halt"): "halted",
        ("suspended", "settle"): "fulfilled",
        ("halted", "continue"): "pending",
        ("halted", "settle"): "fulfilled",
    },
)


def next_state(task: TaskRow, event: TaskEvent) -> TaskState:
    """Look up where an event leads; refuse with a conflict where the table has nothing."""
    state = TASK_MOVES.get((task.state, event))
    if state is None:
        raise conflict(f"task {task.id!r} is {task.state}: {event} is not possible")
    return state


def lease_end(now_ms: int, ttl_ms: int) -> int:
    """Say when a lease that begins now is over; an endless one ends with the numbers."""
    return min(now_ms + ttl_ms, INT64_MAX)


def acquired(task: TaskRow, *, pid: str, ttl_ms: int, now_ms: int) -> TaskRow:
    """Hand a pending task to a process: the version, which fences all others off, rises here and nowhere else."""
    return msgspec.structs.replace(
        task,
        state=next_state(task, "acquire"),
        version=task.version + 1,
        pid=pid,
        last_pid=pid,
        ttl=ttl_ms,
        due_at=lease_end(now_ms, ttl_ms),
        resumes=(),
        is_offered=True,
    )


def offered(task: TaskRow, event: TaskEvent, *, retry_at: int, resumes: tuple[str, ...]) -> TaskRow:
    """Put a task up for acquisition, from now on."""
    state = next_state(task, event)
    return msgspec.structs.replace(
        task, state=state, pid=None, ttl=None, due_at=retry_at, resumes=resumes, is_offered=True
    )


def parked(task: TaskRow, event: Literal["suspend", "halt", "settle"]) -> TaskRow:
    """Take a task out of circulation. A halted task keeps what woke it meanwhile; the others forget it."""
    state = next_state(task, event)
    resumes = task.resumes if event == "halt" else ()
    return msgspec.structs.replace(task, state=state, pid=None, ttl=None, due_at=None, resumes=resumes)
