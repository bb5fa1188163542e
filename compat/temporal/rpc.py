"""What all calls of the service client share: errors as gRPC would give them, and finding executions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage
from temporalio.api.common.v1 import GrpcStatus
from temporalio.service import RPCError, RPCStatusCode

from compat.temporal import ids

if TYPE_CHECKING:
    from concurrent.futures import Future

    from google.protobuf.message import Message

    from compat.temporal.connection import Connection
    from resonate_core import PromiseRecord

T = TypeVar("T")

NOT_FOUND: Final = "workflow not found for ID: {}"


def error(status: RPCStatusCode, message: str, detail: Message | None = None) -> RPCError:
    """Return the error of a call."""
    grpc = GrpcStatus(code=int(status), message=message)
    if detail is not None:
        packed = AnyMessage()
        packed.Pack(detail)
        grpc.details.append(packed)
    return RPCError(message, status, grpc.SerializeToString())


def not_found(workflow_id: str) -> RPCError:
    """Return the error for an execution that is not there."""
    return error(RPCStatusCode.NOT_FOUND, NOT_FOUND.format(workflow_id))


async def wait(future: Future[T]) -> T:
    """Await a future of the runtime."""
    return await asyncio.wrap_future(future)


async def find(connection: Connection, workflow_id: str, run_id: str = "") -> tuple[PromiseRecord, int]:
    """Return the record of a workflow's generation, and the number of the run in it.

    Args:
        connection: where to look.
        workflow_id: as the user knows it.
        run_id: which run; the newest if empty.

    Raises:
        RPCError: there is none.
    """
    base = ids.promise_id(workflow_id)
    newest = await wait(connection.host.newest(base))
    if newest is None:
        raise not_found(workflow_id)
    runs = await wait(connection.host.runs(newest.id))
    if not run_id:
        return newest, runs
    found = _match(newest.id, runs, run_id)
    generation = 0
    record: PromiseRecord | None = newest
    while found is None:
        record = await wait(connection.host.get(base if generation == 0 else f"{base}~{generation}"))
        if record is None or record.id == newest.id:
            raise not_found(workflow_id)
        found = _match(record.id, await wait(connection.host.runs(record.id)), run_id)
        generation += 1
    assert record is not None
    return record, found


def _match(promise_id: str, runs: int, run_id: str) -> int | None:
    return next((run for run in range(runs, -1, -1) if ids.run_id(promise_id, run) == run_id), None)


async def find_open(
    connection: Connection, workflow_id: str, run_id: str = "", first_run_id: str = ""
) -> PromiseRecord:
    """Return the record of a workflow that runs.

    Raises:
        RPCError: it does not exist, or has ended.
    """
    record, _ = await find(connection, workflow_id, run_id)
    check_chain(record, workflow_id, first_run_id)
    if record.state != "pending":
        raise error(RPCStatusCode.NOT_FOUND, "workflow execution already completed")
    return record


def check_chain(record: PromiseRecord, workflow_id: str, first_run_id: str) -> None:
    """Refuse an execution that another one has replaced since the caller saw it."""
    if first_run_id and ids.run_id(record.id, 0) != first_run_id:
        raise not_found(workflow_id)


def request_fields(request: Any) -> tuple[str, str]:
    """Return (workflow id, run id) of a request, whatever it calls them."""
    execution = request.workflow_execution if hasattr(request, "workflow_execution") else request.execution
    return execution.workflow_id, execution.run_id
