"""Requests, responses and messages of the protocol as typed structs.

The worker side builds these and nothing else; a network port carries them to the embedded server or over HTTP. ``kind``
is the wire name (the struct's tag). Some kinds exist on this side only and never reach a foreign server as such:

* ``FenceSettled`` creates a local child and settles it in one step. Nobody can see the moment between the two, so
  the embedded store spends one commit on it; a network to a foreign server sends two fences instead.
* ``MessageAppend`` puts a message into the first free slot of an inbox. The embedded store does it in one transaction;
  elsewhere it is the walk over slots by compare-and-set.
* ``FulfillIfRead`` ends an execution only if no message is unread. The embedded store decides it in the transaction;
  elsewhere a close marker is put into the next slot by compare-and-set first.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from resonate_core.protocol.records import EMPTY, PromiseRecord, ScheduleRecord, SettledState, TaskRecord, Value

PROTOCOL_VERSION: Final = "2026-04-01"


class _Request(msgspec.Struct, frozen=True, rename="camel", tag_field="kind", omit_defaults=True):
    """Base of all requests: frozen, wire names in camel case, tagged with the kind."""


class PromiseGet(_Request, frozen=True, tag="promise.get"):
    id: str


class PromiseCreate(_Request, frozen=True, tag="promise.create"):
    id: str
    timeout_at: int
    param: Value = EMPTY
    tags: dict[str, str] = {}


class PromiseSettle(_Request, frozen=True, tag="promise.settle"):
    id: str
    state: SettledState
    value: Value = EMPTY


class PromiseRegisterCallback(_Request, frozen=True, tag="promise.register_callback"):
    awaited: str
    awaiter: str


class PromiseRegisterListener(_Request, frozen=True, tag="promise.register_listener"):
    awaited: str
    address: str


class PromiseSearch(_Request, frozen=True, tag="promise.search"):
    state: str | None = None
    tags: dict[str, str] = {}
    limit: int = 100
    cursor: str | None = None


class TaskGet(_Request, frozen=True, tag="task.get"):
    id: str


class TaskCreate(_Request, frozen=True, tag="task.create"):
    pid: str
    ttl: int
    action: PromiseCreate


class TaskAcquire(_Request, frozen=True, tag="task.acquire"):
    id: str
    version: int
    pid: str
    ttl: int


class TaskFence(_Request, frozen=True, tag="task.fence"):
    id: str
    version: int
    action: PromiseCreate | PromiseSettle


class FenceSettled(_Request, frozen=True, tag="x.fence_settled"):
    """Create ``action.id`` and settle it at once, if the task ``id`` is still held at ``version``.

    An existing pending promise is settled; an existing settled one is returned unchanged (first writer wins).
    """

    id: str
    version: int
    action: PromiseCreate
    state: SettledState
    value: Value = EMPTY


class MessageAppend(_Request, frozen=True, tag="x.message_append"):
    """Create and resolve the first free promise ``{id}.inbox.{n}`` with ``value``, n >= ``hint``.

    404 when the promise ``id`` does not exist, 409 when it is settled. ``value.headers["resonate:message"]`` is the
    message id: where a slot with the same message id is found the call changes nothing and returns that slot.
    A slot made here carries the tags origin, branch and parent = ``id``, scope ``global`` and external ``true``: so
    the execution's preload has its messages. The response's ``promise`` is the slot.
    """

    id: str
    value: Value
    timeout_at: int
    hint: int = 0


class HeartbeatTask(msgspec.Struct, frozen=True):
    id: str
    version: int


class TaskHeartbeat(_Request, frozen=True, tag="task.heartbeat"):
    pid: str
    tasks: list[HeartbeatTask]


class TaskSuspend(_Request, frozen=True, tag="task.suspend"):
    id: str
    version: int
    actions: list[PromiseRegisterCallback]


class TaskFulfill(_Request, frozen=True, tag="task.fulfill"):
    id: str
    version: int
    action: PromiseSettle


class FulfillIfRead(_Request, frozen=True, tag="x.fulfill_if_read"):
    """``task.fulfill``, unless slot ``slot`` of the task's inbox is filled: then 300, and nothing is changed.

    ``slot`` is the first one that the worker has not read. So an execution never ends over a message that its sender
    has been told is delivered.
    """

    id: str
    version: int
    action: PromiseSettle
    slot: int


class TaskRelease(_Request, frozen=True, tag="task.release"):
    id: str
    version: int


class TaskHalt(_Request, frozen=True, tag="task.halt"):
    id: str


class TaskContinue(_Request, frozen=True, tag="task.continue"):
    id: str


class TaskSearch(_Request, frozen=True, tag="task.search"):
    state: str | None = None
    limit: int = 100
    cursor: str | None = None


class ScheduleCreate(_Request, frozen=True, tag="schedule.create"):
    id: str
    cron: str
    promise_id: str
    promise_timeout: int
    promise_param: Value = EMPTY
    promise_tags: dict[str, str] = {}


class ScheduleGet(_Request, frozen=True, tag="schedule.get"):
    id: str


class ScheduleDelete(_Request, frozen=True, tag="schedule.delete"):
    id: str


class ScheduleSearch(_Request, frozen=True, tag="schedule.search"):
    tags: dict[str, str] = {}
    limit: int = 10
    cursor: str | None = None


Request = (
    PromiseGet
    | PromiseCreate
    | PromiseSettle
    | PromiseRegisterCallback
    | PromiseRegisterListener
    | PromiseSearch
    | TaskGet
    | TaskCreate
    | TaskAcquire
    | TaskFence
    | FenceSettled
    | MessageAppend
    | TaskHeartbeat
    | TaskSuspend
    | TaskFulfill
    | FulfillIfRead
    | TaskRelease
    | TaskHalt
    | TaskContinue
    | TaskSearch
    | ScheduleCreate
    | ScheduleGet
    | ScheduleDelete
    | ScheduleSearch
)


class Response(msgspec.Struct, frozen=True):
    """Answer to one request: the status of the protocol and what the status promises.

    ``status`` 0 means that no answer came (the network gave up); ``error`` says why. 424 means that the request was
    not tried, because an earlier one of the same submission failed.
    """

    status: int
    promise: PromiseRecord | None = None
    task: TaskRecord | None = None
    schedule: ScheduleRecord | None = None
    promises: tuple[PromiseRecord, ...] = ()
    tasks: tuple[TaskRecord, ...] = ()
    schedules: tuple[ScheduleRecord, ...] = ()
    preload: tuple[PromiseRecord, ...] = ()
    cursor: str | None = None
    error: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether the request was carried out (200; 300 is an answer of its own)."""
        return self.status == 200


class Execute(msgspec.Struct, frozen=True, tag="execute", tag_field="kind"):
    """Message: try to acquire this task at this version."""

    id: str
    version: int


class Unblock(msgspec.Struct, frozen=True, tag="unblock", tag_field="kind"):
    """Message: a promise that was listened to has settled."""

    promise: PromiseRecord


class Acquired(msgspec.Struct, frozen=True):
    """Message within a process: the server has acquired this task in the receiver's name, see ``port.Lease``.

    Attributes:
        response: as ``task.acquire`` answers.
    """

    id: str
    response: Response


Sent = Execute | Unblock
Message = Sent | Acquired
Json = dict[str, Any]
