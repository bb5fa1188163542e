"""Starting an execution: what the first start does, and what starting its id again does.

Promises are write-once, so an id that is started again after it has finished gets a new promise, a *generation*:
``E``, ``E~1``, ``E~2``. ``if_exists`` decides:

* ``join``: the newest generation is what the caller gets, running or finished. Nothing runs twice. (Resonate, DBOS)
* ``fail``: an error if any generation exists.
* ``restart_closed``: an error if the newest one runs, a new one if it has finished. (Temporal's default)
* ``restart``: the newest one is terminated if it runs; then a new one.

Who created a promise is told by a tag with a nonce: a create request answers alike for "created" and "found".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resonate_core.client.operations import Operation, checked
from resonate_core.clock import new_id
from resonate_core.errors import AlreadyStartedError, CanceledError, NotFoundError, UsageError
from resonate_core.ids import generation_id
from resonate_core.limits import DEFAULT_TIMEOUT_S, INSTANT_MAX_MS
from resonate_core.protocol.records import (
    TAG_BRANCH,
    TAG_ORIGIN,
    TAG_PARENT,
    TAG_SCOPE,
    TAG_START,
    TAG_TARGET,
    PromiseRecord,
    Value,
)
from resonate_core.protocol.requests import PromiseCreate, PromiseGet, PromiseSettle, TaskCreate

if TYPE_CHECKING:
    from resonate_core.options import CallOptions
    from resonate_core.protocol.requests import Response
    from resonate_core.scheduler.environment import Environment


@dataclass(frozen=True)
class Start:
    """One start as asked for.

    Attributes:
        id: as the caller chose it.
        name: registered name of the function.
        param: the encoded call.
        target: address of the workers that may run it.
        here: (pid, ttl_ms) of the process that is to hold the task from the start, or None.
    """

    id: str
    name: str
    param: Value
    target: str
    opts: CallOptions
    here: tuple[str, int] | None = None


@dataclass(frozen=True)
class Started:
    """What a start led to; ``held`` is the answer that gave this process the task, if it did."""

    record: PromiseRecord
    held: Response | None = None


def start_operation(env: Environment, start: Start) -> Operation[Started]:
    """Start an execution, or join, refuse or restart as its options say.

    Raises:
        AlreadyStartedError: an execution of this id exists and the options do not allow that.
        UsageError: the id belongs to another function.
    """
    nonce = new_id()
    generation = 0
    while True:
        create = _create(env, start, generation, nonce)
        found = yield from _create_once(start, create)
        if found.held is not None or found.record.tags.get(TAG_START) == nonce:
            return found
        if start.opts.if_exists == "join":
            _check_function(env, start, found.record)
            newer = yield from newest_operation(start.id, found.record, generation)
            return Started(newer)
        _refuse_or_pass(start, found.record)
        if found.record.state == "pending":
            yield from terminate_operation(env, found.record.id, "started again with if_exists='restart'")
        generation += 1


def _create(env: Environment, start: Start, generation: int, nonce: str) -> PromiseCreate:
    promise_id = generation_id(start.id, generation)
    seconds = DEFAULT_TIMEOUT_S if start.opts.timeout is None else start.opts.timeout
    tags = {
        **start.opts.tags,
        TAG_TARGET: start.target,
        TAG_SCOPE: "global",
        TAG_ORIGIN: promise_id,
        TAG_BRANCH: promise_id,
        TAG_PARENT: promise_id,
        TAG_START: nonce,
    }
    deadline = min(env.now_ms() + int(seconds * 1000), INSTANT_MAX_MS)
    return PromiseCreate(promise_id, deadline, start.param, tags)


def _create_once(start: Start, create: PromiseCreate) -> Operation[Started]:
    if start.here is None:
        response = checked((yield [create])[0], "promise.create", create.id)
        return Started(_record(response, create.id))
    response = (yield [TaskCreate(*start.here, create)])[0]
    if response.status in (409, 422):  # it exists, and somebody holds it or nobody can
        existing = checked((yield [PromiseGet(create.id)])[0], "promise.get", create.id)
        return Started(_record(existing, create.id))
    record = _record(checked(response, "task.create", create.id), create.id)
    task = response.task
    is_mine = task is not None and task.state == "acquired" and record.state == "pending"
    return Started(record, response if is_mine else None)


def _record(response: Response, promise_id: str) -> PromiseRecord:
    if response.promise is None:
        raise AssertionError(f"an answer about {promise_id} carries its promise")
    return response.promise


def _check_function(env: Environment, start: Start, record: PromiseRecord) -> None:
    recorded = env.recorded_name(record)
    if recorded is not None and recorded != start.name:
        raise UsageError(
            f"id {start.id!r} belongs to an execution of {recorded!r}, refused for {start.name!r}; choose another id"
        )


def _refuse_or_pass(start: Start, record: PromiseRecord) -> None:
    is_open = record.state == "pending"
    if start.opts.if_exists == "fail" or (start.opts.if_exists == "restart_closed" and is_open):
        state = "is running" if is_open else "has finished"
        raise AlreadyStartedError(
            f"execution {start.id!r} of {start.name!r} {state}, and if_exists={start.opts.if_exists!r} allows no "
            "second one; join it with if_exists='join', or choose another id",
            kind="promise.create",
            id=start.id,
            status=409,
        )


def newest_operation(id: str, record: PromiseRecord, generation: int = 0) -> Operation[PromiseRecord]:
    """Return the newest generation of an id, given the record of one."""
    while record.state != "pending":
        generation += 1
        response = (yield [PromiseGet(generation_id(id, generation))])[0]
        if response.promise is None:
            break
        record = response.promise
    return record


def find_operation(id: str) -> Operation[PromiseRecord]:
    """Return the record of the newest generation of an id.

    Raises:
        ProtocolError: there is no such execution or promise.
    """
    response = (yield [PromiseGet(id)])[0]
    if response.status == 404:
        raise NotFoundError(
            f"there is no execution or promise {id!r} in this store; check the id and the URL",
            kind="promise.get",
            id=id,
            status=404,
        )
    record = _record(checked(response, "promise.get", id), id)
    return (yield from newest_operation(id, record))


def terminate_operation(env: Environment, promise_id: str, reason: str) -> Operation[Any]:
    """Settle an execution from outside; what it runs is dropped, and no clean-up runs."""
    value = env.codec.encode_error(CanceledError(reason))
    response = (yield [PromiseSettle(promise_id, "rejected_canceled", value)])[0]
    return checked(response, "promise.settle", promise_id)
