"""The words in which a conformance case is written: requests, the passing of time, and what must be seen.

Times are small integers, the present is 100 unless a step says ``at=``. Expectations name fields with dots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resonate_core.protocol.records import EMPTY, Value
from resonate_core.protocol.requests import (
    FenceSettled,
    HeartbeatTask,
    MessageAppend,
    PromiseCreate,
    PromiseGet,
    PromiseRegisterCallback,
    PromiseRegisterListener,
    PromiseSearch,
    PromiseSettle,
    ScheduleCreate,
    ScheduleDelete,
    ScheduleGet,
    ScheduleSearch,
    TaskAcquire,
    TaskContinue,
    TaskCreate,
    TaskFence,
    TaskFulfill,
    TaskGet,
    TaskHalt,
    TaskHeartbeat,
    TaskRelease,
    TaskSearch,
    TaskSuspend,
)

if TYPE_CHECKING:
    from resonate_core.protocol.requests import Request

NOW = 100
RETRY_MS = 50
FAR = 10_000
ANY = "poll://any@g"
UNI = "poll://uni@g/w1"


@dataclass(frozen=True)
class Ask:
    """Send a request; the response has this status and these fields."""

    request: Request
    status: int = 200
    want: dict[str, Any] = field(default_factory=dict)
    at: int | None = None


@dataclass(frozen=True)
class Tick:
    """Let the clock stand at an instant and fire what is due."""

    at: int


@dataclass(frozen=True)
class Messages:
    """Exactly these messages since the last look, in any order: ``execute ID VERSION``, ``unblock ID``."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Attach:
    """A worker process connects."""

    pid: str
    group: str = "g"


Step = Ask | Tick | Messages | Attach


@dataclass(frozen=True)
class Case:
    """One check of the list: its number, what it says, how it is seen. ``workers`` are connected from the start."""

    number: str
    says: str
    steps: tuple[Step, ...]
    workers: tuple[str, ...] = ("w1",)


def case(number: str, says: str, *steps: Step, workers: tuple[str, ...] = ("w1",)) -> Case:
    return Case(number, says, steps, workers)


def ask(request: Request, status: int = 200, *, at: int | None = None, **want: Any) -> Ask:
    """``promise__state="resolved"`` wants the field ``promise.state``."""
    return Ask(request, status, {key.replace("__", "."): value for key, value in want.items()}, at)


def tick(at: int) -> Tick:
    return Tick(at)


def messages(*texts: str) -> Messages:
    return Messages(texts)


def attach(pid: str, group: str = "g") -> Attach:
    return Attach(pid, group)


# -- requests, short -------------------------------------------------------------------------------------------------


def P(id: str, dl: int = FAR, *, param: str | None = None, **tags: str) -> PromiseCreate:  # noqa: N802 - the list's word
    """A promise without a target; a tag ``timer="true"`` is ``resonate:timer``."""
    named = {f"resonate:{key}": value for key, value in tags.items()}
    return PromiseCreate(id, dl, Value(data=param) if param is not None else EMPTY, named)


def T(id: str, dl: int = FAR, *, to: str = ANY, **tags: str) -> PromiseCreate:  # noqa: N802 - a word of the list
    """A promise with a target."""
    return P(id, dl, target=to, **tags)


def get(id: str) -> PromiseGet:
    return PromiseGet(id)


def settle(id: str, state: Any = "resolved", data: str | None = None) -> PromiseSettle:
    return PromiseSettle(id, state, Value(data=data) if data is not None else EMPTY)


def callback(awaited: str, awaiter: str) -> PromiseRegisterCallback:
    return PromiseRegisterCallback(awaited, awaiter)


def listen(awaited: str, address: str = UNI) -> PromiseRegisterListener:
    return PromiseRegisterListener(awaited, address)


def start(id: str, dl: int = FAR, *, pid: str = "w1", ttl: int = 1_000, **tags: str) -> TaskCreate:
    """Create a promise and hold its task."""
    return TaskCreate(pid, ttl, T(id, dl, **tags))


def acquire(id: str, version: int, *, pid: str = "w1", ttl: int = 1_000) -> TaskAcquire:
    return TaskAcquire(id, version, pid, ttl)


def task(id: str) -> TaskGet:
    return TaskGet(id)


def fence(id: str, version: int, action: PromiseCreate | PromiseSettle) -> TaskFence:
    return TaskFence(id, version, action)


def local(id: str, version: int, child: str, state: Any = "resolved", dl: int = FAR, **tags: str) -> FenceSettled:
    return FenceSettled(id, version, P(child, dl, scope="local", **tags), state, Value(data="v"))


def append(id: str, data: str, *, message: str | None = None, hint: int = 0) -> MessageAppend:
    headers = None if message is None else {"resonate:message": message}
    return MessageAppend(id, Value(headers, data), FAR, hint)


def beat(pid: str, *tasks: tuple[str, int]) -> TaskHeartbeat:
    return TaskHeartbeat(pid, [HeartbeatTask(id, version) for id, version in tasks])


def suspend(id: str, version: int, *awaited: str, awaiter: str | None = None) -> TaskSuspend:
    return TaskSuspend(id, version, [callback(one, awaiter or id) for one in awaited])


def fulfill(id: str, version: int, state: Any = "resolved", *, of: str | None = None) -> TaskFulfill:
    return TaskFulfill(id, version, PromiseSettle(of or id, state, Value(data="done")))


def release(id: str, version: int) -> TaskRelease:
    return TaskRelease(id, version)


def halt(id: str) -> TaskHalt:
    return TaskHalt(id)


def resume(id: str) -> TaskContinue:
    return TaskContinue(id)


def schedule(
    id: str, cron: str = "* * * * *", template: str = "{{.id}}-{{.timestamp}}", timeout: int = FAR, **tags: str
) -> ScheduleCreate:
    named = {f"resonate:{key}": value for key, value in tags.items()} or {"resonate:target": ANY}
    return ScheduleCreate(id, cron, template, timeout, Value(data="p"), named)


__all__ = [
    "ANY", "FAR", "NOW", "RETRY_MS", "UNI", "Ask", "Attach", "Case", "Messages", "P", "PromiseSearch", "ScheduleDelete",
    "ScheduleGet", "ScheduleSearch", "Step", "T", "TaskSearch", "Tick", "acquire", "append", "ask", "attach", "beat",
    "callback", "case", "fence", "fulfill", "get", "halt", "listen", "local", "messages", "release", "resume",
    "schedule", "settle", "start", "suspend", "task", "tick",
]
