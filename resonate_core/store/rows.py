"""Records to rows of the SQLite file and back. Payload text is stored as it is; only small maps are JSON."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from resonate_core.machine.lifecycle import is_internal
from resonate_core.machine.state import TaskRow
from resonate_core.protocol.addresses import route
from resonate_core.protocol.records import EMPTY, TAG_BRANCH, PromiseRecord, ScheduleRecord, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = tuple[Any, ...]

_encode: Final = msgspec.json.Encoder().encode
_decode_map: Final = msgspec.json.Decoder(dict[str, str]).decode
_decode_list: Final = msgspec.json.Decoder(tuple[str, ...]).decode


def _write_map(value: Mapping[str, str] | None) -> str | None:
    return None if value is None else _encode(value).decode()


@lru_cache(maxsize=4096)
def _read_map(text: str) -> dict[str, str]:
    """Read a map; siblings carry the same tags, so a branch of ten thousand is read mostly from here."""
    return _decode_map(text)


def _read_value(headers: str | None, data: str | None) -> Value:
    if headers is None and data is None:
        return EMPTY
    return Value(None if headers is None else _decode_map(headers), data)


def write_promise(promise: PromiseRecord) -> Row:
    """Return the columns of a new promise."""
    param, value, tags = promise.param, promise.value, promise.tags
    is_armed = promise.state == "pending" and not is_internal(tags)
    return (
        promise.id,
        promise.state,
        promise.timeout_at,
        promise.created_at,
        promise.settled_at,
        _write_map(param.headers),
        param.data,
        _write_map(value.headers),
        value.data,
        _write_map(tags) if tags else None,
        tags.get(TAG_BRANCH),
        1 if is_armed else None,
    )


def is_users_tag(key: str) -> bool:
    """Whether a tag is the user's own, so that promises can be found by it at once."""
    return not key.startswith("resonate:")


def write_tags(promise: PromiseRecord) -> list[Row]:
    """Return the rows by which a promise is found."""
    return [(key, value, promise.id) for key, value in promise.tags.items() if not key.startswith("resonate:")]


def write_settlement(promise: PromiseRecord) -> Row:
    """Return the columns that change when a promise is settled, its id last."""
    value = promise.value
    return (promise.state, promise.settled_at, _write_map(value.headers), value.data, promise.id)


def read_promise(row: Row) -> PromiseRecord:
    """Build a promise from its columns."""
    id_, state, timeout_at, created_at, settled_at, param_headers, param_data, value_headers, value_data, tags = row
    return PromiseRecord(
        id_,
        state,
        timeout_at,
        created_at,
        _read_value(param_headers, param_data),
        _read_value(value_headers, value_data),
        {} if tags is None else _read_map(tags),
        settled_at,
    )


def write_task(task: TaskRow) -> Row:
    """Return the columns of a task."""
    return (
        task.id,
        task.state,
        task.version,
        task.address,
        task.deadline,
        task.due_at,
        task.ttl,
        task.pid,
        task.last_pid,
        _encode(task.resumes).decode() if task.resumes else None,
        task.is_offered,
        route(task.address),
    )


def read_task(row: Row) -> TaskRow:
    """Build a task from its columns."""
    id_, state, version, address, deadline, due_at, ttl, pid, last_pid, resumes, is_offered = row
    return TaskRow(
        id_,
        state,
        version,
        address,
        deadline,
        due_at,
        ttl,
        pid,
        last_pid,
        () if resumes is None else _decode_list(resumes),
        bool(is_offered),
    )


def write_schedule(schedule: ScheduleRecord) -> Row:
    """Return the columns of a schedule."""
    return (
        schedule.id,
        schedule.cron,
        schedule.promise_id,
        schedule.promise_timeout,
        schedule.created_at,
        schedule.next_run_at,
        _write_map(schedule.promise_param.headers),
        schedule.promise_param.data,
        _write_map(schedule.promise_tags) if schedule.promise_tags else None,
        schedule.last_run_at,
    )


def read_schedule(row: Row) -> ScheduleRecord:
    """Build a schedule from its columns."""
    id_, cron, promise_id, promise_timeout, created_at, next_run_at, headers, data, tags, last_run_at = row
    return ScheduleRecord(
        id=id_,
        cron=cron,
        promise_id=promise_id,
        promise_timeout=promise_timeout,
        created_at=created_at,
        next_run_at=next_run_at,
        promise_param=_read_value(headers, data),
        promise_tags={} if tags is None else _read_map(tags),
        last_run_at=last_run_at,
    )
