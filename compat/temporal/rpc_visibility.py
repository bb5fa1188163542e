"""Calls about many workflows, or about one from outside: describe, list, count."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import temporalio.converter
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflowservice import v1
from temporalio.service import RPCStatusCode

from compat.temporal import rpc
from compat.temporal.activity_meta import TAG_OWNER, ActivityMeta
from compat.temporal.children import TAG_CLOSE, TAG_PARENT
from compat.temporal.execution_view import describe, is_workflow, start_of_record
from compat.temporal.list_filter import FilterError, parse
from compat.temporal.starts import TAG_ACTIVITY, TAG_KIND, TAG_TYPE

if TYPE_CHECKING:
    from temporalio.api.workflow.v1 import WorkflowExecutionInfo

    from compat.temporal.connection import Connection
    from resonate_core import PromiseRecord

_PAGE: Final = 1_000


class VisibilityCalls:
    """Answers the calls of ``WorkflowService`` that look at executions."""

    connection: Connection

    async def describe_workflow_execution(
        self, request: v1.DescribeWorkflowExecutionRequest
    ) -> v1.DescribeWorkflowExecutionResponse:
        """Describe one run."""
        workflow_id, run_id = rpc.request_fields(request)
        record, run = await rpc.find(self.connection, workflow_id, run_id)
        response = v1.DescribeWorkflowExecutionResponse()
        response.workflow_execution_info.CopyFrom(await describe(self.connection, record, run))
        asked = start_of_record(self.connection, record).request
        config = response.execution_config
        config.task_queue.name = asked.task_queue.name
        config.workflow_execution_timeout.CopyFrom(asked.workflow_execution_timeout)
        config.workflow_run_timeout.CopyFrom(asked.workflow_run_timeout)
        config.user_metadata.CopyFrom(asked.user_metadata)
        if record.state == "pending":
            await self._pending(record, response)
        return response

    async def _pending(self, record: PromiseRecord, response: v1.DescribeWorkflowExecutionResponse) -> None:
        host = self.connection.host
        for found in await rpc.wait(host.search(state="pending", tags={TAG_OWNER: record.id})):
            meta = ActivityMeta.from_tags(found.tags, found.tags.get(TAG_TYPE, ""), found.tags.get(TAG_ACTIVITY, ""))
            activity = response.pending_activities.add(activity_id=meta.activity_id, attempt=1)
            activity.activity_type.name = meta.activity_type
            activity.scheduled_time.FromMilliseconds(found.created_at)
            activity.maximum_attempts = meta.retry_policy.maximum_attempts
        for found in await rpc.wait(host.search(state="pending", tags={TAG_PARENT: record.id})):
            info = await describe(self.connection, found)
            response.pending_children.add(
                workflow_id=info.execution.workflow_id,
                run_id=info.execution.run_id,
                workflow_type_name=info.type.name,
                parent_close_policy=int(found.tags.get(TAG_CLOSE, "0")),
            )

    async def list_workflow_executions(
        self, request: v1.ListWorkflowExecutionsRequest
    ) -> v1.ListWorkflowExecutionsResponse:
        """List executions, newest first."""
        found = await self._matching(request.query)
        first = int(request.next_page_token or b"0")
        size = request.page_size or _PAGE
        response = v1.ListWorkflowExecutionsResponse(executions=found[first : first + size])
        if first + size < len(found):
            response.next_page_token = str(first + size).encode()
        return response

    async def count_workflow_executions(
        self, request: v1.CountWorkflowExecutionsRequest
    ) -> v1.CountWorkflowExecutionsResponse:
        """Count executions, by status if the query says so."""
        text, _, group = request.query.partition("GROUP BY")
        found = await self._matching(text)
        response = v1.CountWorkflowExecutionsResponse(count=len(found))
        if not group:
            return response
        if group.strip() != "ExecutionStatus":
            raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, "invalid query: only GROUP BY ExecutionStatus is supported")
        for status, count in sorted(Counter(_status(info) for info in found).items()):
            values = response.groups.add(count=count).group_values
            values.append(temporalio.converter.default().payload_converter.to_payload(status))
        return response

    async def _matching(self, query: str) -> list[WorkflowExecutionInfo]:
        try:
            test = parse(query)
        except FilterError as problem:
            raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, str(problem)) from None
        records = await rpc.wait(self.connection.host.search(tags={TAG_KIND: "workflow"}))
        infos = [await describe(self.connection, record) for record in records if is_workflow(record)]
        found = [info for info in infos if test(_fields(info))]
        return sorted(found, key=lambda info: info.start_time.ToNanoseconds(), reverse=True)


def _status(info: WorkflowExecutionInfo) -> str:
    """Return a status as list filters write it."""
    name = WorkflowExecutionStatus.Name(info.status).removeprefix("WORKFLOW_EXECUTION_STATUS_")
    return "".join(part.capitalize() for part in name.split("_"))


def _fields(info: WorkflowExecutionInfo) -> dict[str, Any]:
    """Return what a filter may name."""
    custom = temporalio.converter.decode_typed_search_attributes(info.search_attributes)
    fields: dict[str, Any] = {pair.key.name: pair.value for pair in custom}
    fields |= {
        "WorkflowType": info.type.name,
        "WorkflowId": info.execution.workflow_id,
        "RunId": info.execution.run_id,
        "ExecutionStatus": _status(info),
        "TaskQueue": info.task_queue,
        "StartTime": info.start_time.ToDatetime(tzinfo=UTC),
        "ExecutionTime": info.execution_time.ToDatetime(tzinfo=UTC),
    }
    if info.HasField("close_time"):
        fields["CloseTime"] = info.close_time.ToDatetime(tzinfo=UTC)
    if info.HasField("parent_execution"):
        fields["ParentWorkflowId"] = info.parent_execution.workflow_id
    return fields
