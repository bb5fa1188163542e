"""From the record of an execution to Temporal's description of it, with what it published about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import ParseDict
from temporalio.api.common.v1 import Memo, SearchAttributes
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from compat.temporal import ids, rpc
from compat.temporal.starts import TAG_KIND, WorkflowStart, start_of
from compat.temporal.workflow_status import status_of

if TYPE_CHECKING:
    from compat.temporal.connection import Connection
    from resonate_core import PromiseRecord

#: Keys under which a run publishes what it changed of itself.
MEMO_EVENT: Final = "temporal:memo"
ATTRIBUTES_EVENT: Final = "temporal:search-attributes"

_CONTINUED: Final = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW


def is_workflow(record: PromiseRecord) -> bool:
    """Whether a record is an execution of a workflow, of the shim or of plain Resonate code."""
    kind = record.tags.get(TAG_KIND)
    if kind is not None:
        return kind == "workflow"
    return "resonate:target" in record.tags and record.tags.get("resonate:parent") == record.id


def start_of_record(connection: Connection, record: PromiseRecord) -> WorkflowStart:
    """Return what an execution was started with."""
    return start_of(
        record.tags,
        workflow_id=ids.workflow_id(record.id.rpartition("~")[0] or record.id),
        workflow_type=connection.host.function_name(record) or "",
        task_queue=record.tags.get("resonate:target", "").rpartition("@")[2],
    )


async def published(connection: Connection, record: PromiseRecord, key: str) -> dict[str, Any] | None:
    """Return what an execution has published under a key."""
    found: dict[str, Any] | None = await rpc.wait(connection.host.event(record.id, key))
    return found


async def describe(connection: Connection, record: PromiseRecord, run: int | None = None) -> WorkflowExecutionInfo:
    """Return Temporal's description of one run, by default the newest."""
    start = start_of_record(connection, record)
    runs = await rpc.wait(connection.host.runs(record.id))
    number = runs if run is None else run
    info = WorkflowExecutionInfo(task_queue=start.request.task_queue.name, first_run_id=ids.run_id(record.id, 0))
    info.execution.workflow_id = start.request.workflow_id
    info.execution.run_id = ids.run_id(record.id, number)
    info.type.name = start.request.workflow_type.name
    info.start_time.FromMilliseconds(record.created_at)
    info.execution_time.FromMilliseconds(record.created_at)
    info.status = status_of(connection.host, record) if number == runs else _CONTINUED
    if number == runs and record.state != "pending":
        info.close_time.FromMilliseconds(record.settled_at or record.timeout_at)
    info.history_length = 3
    await _fill_fields(connection, record, start, info)
    if start.parent:
        info.parent_execution.workflow_id = start.parent["workflow_id"]
        info.parent_execution.run_id = start.parent["run_id"]
    root = start.root or {"workflow_id": info.execution.workflow_id, "run_id": info.execution.run_id}
    info.root_execution.workflow_id = root["workflow_id"]
    info.root_execution.run_id = root["run_id"]
    return info


async def _fill_fields(
    connection: Connection, record: PromiseRecord, start: WorkflowStart, info: WorkflowExecutionInfo
) -> None:
    memo = await published(connection, record, MEMO_EVENT)
    attributes = await published(connection, record, ATTRIBUTES_EVENT)
    info.memo.CopyFrom(start.request.memo if memo is None else ParseDict(memo, Memo()))
    info.search_attributes.CopyFrom(
        start.request.search_attributes if attributes is None else ParseDict(attributes, SearchAttributes())
    )
