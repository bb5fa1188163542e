"""Answers and messages on the wire, both ways: written as released servers write them, read from any of them.

Servers differ in what they leave out: missing, null and ``{}`` mean the same in a value, ``resumes`` is a count, a list
or absent, an error's data is text or an object. All of it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from resonate_core.network.http_wire import UNREADABLE, answer_head, write_envelope
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import (
    EMPTY,
    PromiseRecord,
    PromiseState,
    ScheduleRecord,
    TaskRecord,
    TaskState,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# -- writing ---------------------------------------------------------------------------------------------------------


def promise_data(record: PromiseRecord) -> dict[str, Any]:
    """Return a promise as JSON; param, value and tags are always there, some clients rely on it."""
    data: dict[str, Any] = {
        "id": record.id,
        "state": record.state,
        "param": record.param,
        "value": record.value,
        "tags": record.tags,
        "timeoutAt": record.timeout_at,
        "createdAt": record.created_at,
    }
    if record.settled_at is not None:
        data["settledAt"] = record.settled_at
    return data


def task_data(record: TaskRecord) -> dict[str, Any]:
    """Return a task as JSON; ttl and pid only while it is acquired."""
    data: dict[str, Any] = {
        "id": record.id,
        "state": record.state,
        "version": record.version,
        "resumes": record.resumes,
    }
    if record.ttl is not None:
        data["ttl"] = record.ttl
    if record.pid is not None:
        data["pid"] = record.pid
    return data


def schedule_data(record: ScheduleRecord) -> dict[str, Any]:
    """Return a schedule as JSON."""
    data: dict[str, Any] = {
        "id": record.id,
        "cron": record.cron,
        "promiseId": record.promise_id,
        "promiseTimeout": record.promise_timeout,
        "promiseParam": record.promise_param,
        "promiseTags": record.promise_tags,
        "createdAt": record.created_at,
        "nextRunAt": record.next_run_at,
    }
    if record.last_run_at is not None:
        data["lastRunAt"] = record.last_run_at
    return data


def _page(name: str, records: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    return {name: records} if cursor is None else {name: records, "cursor": cursor}


def _promise(response: r.Response) -> dict[str, Any]:
    assert response.promise is not None
    return {"promise": promise_data(response.promise)}


def _task(response: r.Response) -> dict[str, Any]:
    assert response.task is not None
    return {"task": task_data(response.task)}


def _held(response: r.Response) -> dict[str, Any]:
    return {**_task(response), **_promise(response), "preload": [promise_data(p) for p in response.preload]}


def _preload(response: r.Response) -> dict[str, Any]:
    return {"preload": [promise_data(p) for p in response.preload]} if response.status == 300 else {}


def _schedule(response: r.Response) -> dict[str, Any]:
    assert response.schedule is not None
    return {"schedule": schedule_data(response.schedule)}


def _nothing(_: r.Response) -> dict[str, Any]:
    return {}


_WRITERS: Final[Mapping[type, Callable[[r.Response], dict[str, Any]]]] = {
    r.PromiseGet: _promise,
    r.PromiseCreate: _promise,
    r.PromiseSettle: _promise,
    r.PromiseRegisterCallback: _promise,
    r.PromiseRegisterListener: _promise,
    r.PromiseSearch: lambda answer: _page("promises", [promise_data(p) for p in answer.promises], answer.cursor),
    r.TaskGet: _task,
    r.TaskCreate: _held,
    r.TaskAcquire: _held,
    r.TaskHeartbeat: _nothing,
    r.TaskSuspend: _preload,
    r.TaskFulfill: _promise,
    r.TaskRelease: _nothing,
    r.TaskHalt: _nothing,
    r.TaskContinue: _nothing,
    r.TaskSearch: lambda answer: _page("tasks", [task_data(t) for t in answer.tasks], answer.cursor),
    r.ScheduleCreate: _schedule,
    r.ScheduleGet: _schedule,
    r.ScheduleDelete: _nothing,
    r.ScheduleSearch: lambda answer: _page("schedules", [schedule_data(s) for s in answer.schedules], answer.cursor),
    r.FenceSettled: _promise,
    r.MessageAppend: _promise,
    r.FulfillIfRead: lambda answer: _preload(answer) if answer.status == 300 else _promise(answer),
}


def answer_data(request: r.Request, response: r.Response, correlation_id: str) -> tuple[int, Any]:
    """Return status and data of an answer. No answer of the store is an error of the server, 500."""
    if isinstance(request, r.TaskFence):
        return _fence_data(request, response, correlation_id)
    if response.status in (200, 300):
        return response.status, _WRITERS[type(request)](response)
    return response.status or 500, response.error or f"refused with {response.status}"


def _fence_data(request: r.TaskFence, response: r.Response, correlation_id: str) -> tuple[int, Any]:
    """The inner operation has a status of its own: the fence held and the promise to settle was not there."""
    is_inner_missing = response.status == 404 and response.task is not None
    if response.status != 200 and not is_inner_missing:
        return response.status or 500, response.error or f"refused with {response.status}"
    kind = "promise.create" if isinstance(request.action, r.PromiseCreate) else "promise.settle"
    data = (response.error or "promise not found") if is_inner_missing else _promise(response)
    inner = {"kind": kind, "head": answer_head(correlation_id, response.status), "data": data}
    return 200, {"action": inner, "preload": []}


def message_data(message: r.Message, server_url: str) -> bytes:
    """Return a message as JSON."""
    if isinstance(message, r.Execute):
        return write_envelope(
            "execute", {"serverUrl": server_url}, {"task": {"id": message.id, "version": message.version}}
        )
    if isinstance(message, r.Unblock):
        return write_envelope("unblock", {}, {"promise": promise_data(message.promise)})
    raise TypeError(f"{type(message).__name__} is for workers in the server's own process and has no form in JSON")


# -- reading ---------------------------------------------------------------------------------------------------------


class _Promise(msgspec.Struct, rename="camel"):
    id: str
    state: PromiseState
    timeout_at: int
    created_at: int = 0
    param: Value | None = None
    value: Value | None = None
    tags: dict[str, str] | None = None
    settled_at: int | None = None

    @property
    def record(self) -> PromiseRecord:
        return PromiseRecord(
            id=self.id,
            state=self.state,
            timeout_at=self.timeout_at,
            created_at=self.created_at,
            param=self.param or EMPTY,
            value=self.value or EMPTY,
            tags=self.tags or {},
            settled_at=self.settled_at,
        )


class _Task(msgspec.Struct, rename="camel"):
    id: str
    state: TaskState
    version: int
    resumes: int | list[Any] | None = None
    ttl: int | None = None
    pid: str | None = None

    @property
    def record(self) -> TaskRecord:
        resumes = len(self.resumes) if isinstance(self.resumes, list) else self.resumes or 0
        return TaskRecord(self.id, self.state, self.version, resumes, self.ttl, self.pid)


class _Schedule(msgspec.Struct, rename="camel"):
    id: str
    cron: str
    promise_id: str
    promise_timeout: int
    created_at: int = 0
    next_run_at: int = 0
    promise_param: Value | None = None
    promise_tags: dict[str, str] | None = None
    last_run_at: int | None = None

    @property
    def record(self) -> ScheduleRecord:
        return ScheduleRecord(
            id=self.id,
            cron=self.cron,
            promise_id=self.promise_id,
            promise_timeout=self.promise_timeout,
            created_at=self.created_at,
            next_run_at=self.next_run_at,
            promise_param=self.promise_param or EMPTY,
            promise_tags=self.promise_tags or {},
            last_run_at=self.last_run_at,
        )


class _Inner(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    head: dict[str, Any] | None = None


class _Data(msgspec.Struct):
    """Every member that an answer of any kind may have."""

    promise: _Promise | None = None
    task: _Task | None = None
    schedule: _Schedule | None = None
    promises: list[_Promise] | None = None
    tasks: list[_Task] | None = None
    schedules: list[_Schedule] | None = None
    preload: list[_Promise] | None = None
    cursor: str | None = None
    action: _Inner | None = None
    answers: list[Answer] | None = None


class Answer(msgspec.Struct):
    """An answer's envelope; ``data`` is still text."""

    kind: str
    head: dict[str, Any]
    data: msgspec.Raw = msgspec.Raw(b"null")


_answer: Final = msgspec.json.Decoder(Answer)
_data: Final = msgspec.json.Decoder(_Data)


class UnreadableError(Exception):
    """What came back is no answer of the protocol."""


def read_answer(body: bytes, kind: str, correlation_id: str) -> r.Response:
    """Read an answer; of a series the first response carries nothing and ``read_series`` is the one to call.

    Raises:
        UnreadableError: it is none, or the answer to something else.
    """
    return _response(_checked(body, kind, correlation_id))


def _checked(body: bytes, kind: str, correlation_id: str) -> Answer:
    try:
        answer = _answer.decode(body)
    except UNREADABLE as error:
        raise UnreadableError(f"not an envelope ({error}): {body[:120]!r}") from None
    if answer.head.get("corrId") not in (correlation_id, "0") or answer.kind not in (kind, "unknown"):
        raise UnreadableError(
            f"the answer is to {answer.kind} {answer.head.get('corrId')!r}, not to {kind} {correlation_id!r}"
        )
    return answer


def _response(answer: Answer) -> r.Response:
    status = answer.head.get("status")
    if not isinstance(status, int):
        raise UnreadableError(f"the answer has no status: {answer.head!r}")
    if status not in (200, 300):
        return r.Response(status, error=_error_text(answer.data, status))
    try:
        data = _data.decode(answer.data)
    except UNREADABLE as error:
        raise UnreadableError(f"the data of an answer to {answer.kind} cannot be read: {error}") from None
    if data.action is not None:
        return _inner_response(data.action)
    return r.Response(
        status,
        promise=None if data.promise is None else data.promise.record,
        task=None if data.task is None else data.task.record,
        schedule=None if data.schedule is None else data.schedule.record,
        promises=tuple(p.record for p in data.promises or ()),
        tasks=tuple(t.record for t in data.tasks or ()),
        schedules=tuple(s.record for s in data.schedules or ()),
        preload=tuple(p.record for p in data.preload or ()),
        cursor=data.cursor,
    )


def _inner_response(inner: _Inner) -> r.Response:
    """The answer to what stood inside a fence; some servers leave its head out when it is 200."""
    status = (inner.head or {}).get("status", 200)
    if status != 200:
        return r.Response(status, error=_error_text(inner.data, status))
    try:
        found = _data.decode(inner.data)
    except UNREADABLE as error:
        raise UnreadableError(f"the action of a fence cannot be read: {error}") from None
    return r.Response(200, promise=None if found.promise is None else found.promise.record)


def _error_text(data: msgspec.Raw, status: int) -> str:
    try:
        found = msgspec.json.decode(data)
    except UNREADABLE:
        found = None
    if isinstance(found, dict):
        found = found.get("error")
    return found if isinstance(found, str) and found else f"refused with {status}"


def read_series(body: bytes, kind: str, correlation_id: str) -> list[r.Response]:
    """Read the answers to a series.

    Raises:
        UnreadableError: it is no answer, or not to this series.
    """
    answer = _checked(body, kind, correlation_id)
    whole = _response(answer)
    if not whole.is_ok:
        return [whole]
    return [_response(part) for part in _data.decode(answer.data).answers or ()]


def read_message(text: bytes) -> r.Message | None:
    """Read a message; None for what is not one of ours, which is no reason to drop a connection."""
    try:
        found = _message.decode(text)
        if found.kind == "execute":
            return _execute(found.data)
        if found.kind == "unblock":
            promise = _data.decode(found.data).promise
            return None if promise is None else r.Unblock(promise.record)
    except UNREADABLE:
        return None
    return None


class _Message(msgspec.Struct):
    """A message's envelope; some servers send no head, and none says anything that is needed."""

    kind: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_message: Final = msgspec.json.Decoder(_Message)


class _TaskReference(msgspec.Struct):
    id: str
    version: int = 0


class _Execute(msgspec.Struct):
    task: _TaskReference


_execute_data: Final = msgspec.json.Decoder(_Execute)


def _execute(data: msgspec.Raw) -> r.Message:
    task = _execute_data.decode(data).task
    return r.Execute(task.id, task.version)
