"""Requests on the wire, both ways: written as any server reads them, read as strictly as released servers do.

Strict means: integers are JSON integers within 64 bits, ``tags`` hold strings, ``tags``, ``param`` and ``value`` may be
left out but not null, ids are not empty and hold no NUL, nested actions of ``task.create``, ``task.suspend`` and
``task.fulfill`` have all three members of an envelope. Unknown members are ignored.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeVar, get_type_hints

import msgspec

from resonate_core.limits import INT64_MAX
from resonate_core.network.http_wire import SERIES_KIND, UNREADABLE, MalformedError, write_envelope
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import EMPTY, SettledState, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
_Int = Annotated[int, msgspec.Meta(ge=-INT64_MAX - 1, le=INT64_MAX)]
#: Members that name something stored.
_ID_FIELDS: Final = ("id", "awaited", "awaiter", "promise_id")

# -- writing ---------------------------------------------------------------------------------------------------------


def request_data(request: r.Request) -> tuple[str, dict[str, Any]]:
    """Return kind and data of a request."""
    data = msgspec.to_builtins(request)
    kind = data.pop("kind")
    if isinstance(request, (r.TaskCreate, r.TaskFence, r.TaskFulfill)):
        data["action"] = _nested(data["action"])
    elif isinstance(request, r.TaskSuspend):
        data["actions"] = [_nested(action) for action in data["actions"]]
    elif isinstance(request, (r.FenceSettled, r.FulfillIfRead)):
        data["action"].pop("kind")
    return kind, data


def _nested(data: dict[str, Any]) -> dict[str, Any]:
    return {"kind": data.pop("kind"), "head": {}, "data": data}


def write_request(request: r.Request, correlation_id: str, token: str | None) -> bytes:
    """Return the body of a POST."""
    kind, data = request_data(request)
    return write_envelope(kind, _head(correlation_id, token), data)


def write_series(requests: list[r.Request], correlation_id: str, token: str | None, *, atomic: bool) -> bytes:
    """Return the body of a POST that carries several requests to our own server."""
    parts = [dict(zip(("kind", "data"), request_data(request), strict=True)) for request in requests]
    return write_envelope(SERIES_KIND, _head(correlation_id, token), {"requests": parts, "atomic": atomic})


def _head(correlation_id: str, token: str | None) -> dict[str, Any]:
    head: dict[str, Any] = {"corrId": correlation_id, "version": r.PROTOCOL_VERSION}
    if token is not None:
        head["auth"] = token  # servers authenticate a POST by this, a stream by the HTTP header
    return head


# -- reading ---------------------------------------------------------------------------------------------------------


class _Create(msgspec.Struct, rename="camel"):
    id: str
    timeout_at: _Int
    param: Value = EMPTY
    tags: dict[str, str] = {}


class _Settle(msgspec.Struct):
    id: str
    state: SettledState
    value: Value = EMPTY


class _Callback(msgspec.Struct):
    awaited: str
    awaiter: str


class _Action(msgspec.Struct, Generic[T]):
    """A nested envelope: the members must be there, what stands in kind and head does not matter."""

    kind: str
    head: dict[str, Any]
    data: T


class _TaskCreate(msgspec.Struct):
    pid: str
    ttl: _Int
    action: _Action[_Create]


class _FenceAction(msgspec.Struct):
    kind: str
    data: msgspec.Raw


class _Fence(msgspec.Struct):
    id: str
    version: _Int
    action: _FenceAction


class _Suspend(msgspec.Struct):
    id: str
    version: _Int
    actions: list[_Action[_Callback]]


class _Fulfill(msgspec.Struct):
    id: str
    version: _Int
    action: _Action[_Settle]


class _FenceSettled(msgspec.Struct):
    id: str
    version: _Int
    action: _Create
    state: SettledState
    value: Value = EMPTY


class _FulfillIfRead(msgspec.Struct):
    id: str
    version: _Int
    action: _Settle
    slot: _Int


class _Beat(msgspec.Struct):
    id: str
    version: _Int


class _Heartbeat(msgspec.Struct):
    pid: str
    tasks: list[_Beat]


class _Part(msgspec.Struct):
    kind: str
    data: msgspec.Raw


class _Series(msgspec.Struct):
    requests: list[_Part]
    atomic: bool = False


class Series(msgspec.Struct, frozen=True):
    """Requests that belong together."""

    requests: list[r.Request]
    is_atomic: bool = False


def _create(found: _Create) -> r.PromiseCreate:
    _check_ids(found)
    return r.PromiseCreate(found.id, found.timeout_at, found.param, found.tags)


def _settle(found: _Settle) -> r.PromiseSettle:
    _check_ids(found)
    return r.PromiseSettle(found.id, found.state, found.value)


def _callback(found: _Callback) -> r.PromiseRegisterCallback:
    _check_ids(found)
    return r.PromiseRegisterCallback(found.awaited, found.awaiter)


def _fence(found: _Fence) -> r.TaskFence:
    action: r.PromiseCreate | r.PromiseSettle
    if found.action.kind == "promise.create":
        action = _create(_create_data.decode(found.action.data))
    elif found.action.kind == "promise.settle":
        action = _settle(_settle_data.decode(found.action.data))
    else:
        raise MalformedError(f"action.kind must be promise.create or promise.settle, got {found.action.kind!r}")
    return r.TaskFence(found.id, found.version, action)


_create_data: Final = msgspec.json.Decoder(_Create)
_settle_data: Final = msgspec.json.Decoder(_Settle)

#: Kinds with a nested part: how it looks on the wire, and how it becomes a request.
_NESTED: Final[Mapping[str, tuple[type, Callable[[Any], r.Request]]]] = {
    "promise.create": (_Create, _create),
    "promise.settle": (_Settle, _settle),
    "promise.register_callback": (_Callback, _callback),
    "task.create": (_TaskCreate, lambda f: r.TaskCreate(f.pid, f.ttl, _create(f.action.data))),
    "task.fence": (_Fence, _fence),
    "task.heartbeat": (
        _Heartbeat,
        lambda f: r.TaskHeartbeat(f.pid, [r.HeartbeatTask(beat.id, beat.version) for beat in f.tasks]),
    ),
    "task.suspend": (
        _Suspend,
        lambda f: r.TaskSuspend(f.id, f.version, [_callback(action.data) for action in f.actions]),
    ),
    "task.fulfill": (_Fulfill, lambda f: r.TaskFulfill(f.id, f.version, _settle(f.action.data))),
    "x.fence_settled": (
        _FenceSettled,
        lambda f: r.FenceSettled(f.id, f.version, _create(f.action), f.state, f.value),
    ),
    "x.fulfill_if_read": (
        _FulfillIfRead,
        lambda f: r.FulfillIfRead(f.id, f.version, _settle(f.action), f.slot),
    ),
}
_FLAT: Final = (
    r.PromiseGet,
    r.PromiseRegisterListener,
    r.PromiseSearch,
    r.TaskGet,
    r.TaskAcquire,
    r.TaskRelease,
    r.TaskHalt,
    r.TaskContinue,
    r.TaskSearch,
    r.MessageAppend,
    r.ScheduleCreate,
    r.ScheduleGet,
    r.ScheduleDelete,
    r.ScheduleSearch,
)


def _twin(request: type) -> type:
    """Return a struct with a request's members and without its tag, which in ``data`` is a member like any other."""
    hints = get_type_hints(request)
    fields: list[Any] = []
    for field in msgspec.structs.fields(request):
        hint = _Int if hints[field.name] is int else hints[field.name]
        if field.required:
            fields.append((field.name, hint))
        elif field.default_factory is not msgspec.NODEFAULT:
            fields.append((field.name, hint, msgspec.field(default_factory=field.default_factory)))
        else:
            fields.append((field.name, hint, field.default))
    return msgspec.defstruct(f"_{request.__name__}", fields, rename="camel")


def _flat_reader(request: type) -> tuple[type, Callable[[Any], Any]]:
    return _twin(request), lambda found: request(*msgspec.structs.astuple(found))


def _readers() -> dict[str, tuple[msgspec.json.Decoder[Any], Callable[[Any], r.Request]]]:
    flat = {str(request.__struct_config__.tag): _flat_reader(request) for request in _FLAT}
    return {
        kind: (msgspec.json.Decoder(wire), build)
        for kind, (wire, build) in itertools.chain(flat.items(), _NESTED.items())
    }


_READERS: Final = _readers()
_series: Final = msgspec.json.Decoder(_Series)


def read_request(kind: str, data: bytes | msgspec.Raw) -> r.Request | Series:
    """Read the data of a request.

    Raises:
        MalformedError: an unknown kind, or data that does not fit it.
    """
    if kind == SERIES_KIND:
        return _read_series(data)
    if kind.startswith("debug."):
        raise MalformedError(f"{kind} is not available: this server has no debug mode", status=403)
    reader = _READERS.get(kind)
    if reader is None:
        raise MalformedError(f"unknown kind {kind!r}")
    decoder, build = reader
    try:
        found = decoder.decode(data)
        _check_ids(found)
        return build(found)
    except UNREADABLE as error:
        raise MalformedError(f"{kind}: {error}") from None


def _read_series(data: bytes | msgspec.Raw) -> Series:
    try:
        found = _series.decode(data)
    except UNREADABLE as error:
        raise MalformedError(f"{SERIES_KIND}: {error}") from None
    requests = []
    for part in found.requests:
        request = read_request(part.kind, part.data)
        if isinstance(request, Series):
            raise MalformedError("a series cannot contain a series")
        requests.append(request)
    return Series(requests, found.atomic)


def _check_ids(found: Any) -> None:
    for name in _ID_FIELDS:
        text = getattr(found, name, None)
        if text == "":
            raise MalformedError(f"{name} must not be empty")
        if text is not None and "\x00" in text:
            raise MalformedError(f"{name} {text!r} contains a NUL character")
