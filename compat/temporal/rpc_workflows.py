"""Calls about one workflow: start, signal, query, update, cancel, terminate, and the history's last event."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any, Final

from temporalio.api.enums.v1 import (
    QueryRejectCondition,
    UpdateWorkflowExecutionLifecycleStage,
    WorkflowExecutionStatus,
    WorkflowIdConflictPolicy,
)
from temporalio.api.errordetails.v1 import MultiOperationExecutionFailure, WorkflowExecutionAlreadyStartedFailure
from temporalio.api.failure.v1 import MultiOperationExecutionAborted
from temporalio.api.workflowservice import v1
from temporalio.service import RPCError, RPCStatusCode

from compat.temporal import cron, failures, ids, rpc
from compat.temporal.connection import AlreadyRunsError
from compat.temporal.payloads import all_to_stored, from_stored, map_to_stored, payloads_of
from compat.temporal.starts import WorkflowStart
from compat.temporal.workflow_messages import ABOUT, accepted_id, reply_id
from compat.temporal.workflow_status import status_of
from compat.unsupported import UnsupportedFeatureError
from resonate_core import ExecutionClosedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compat.temporal.connection import Connection, Started
    from resonate_core import PromiseRecord

_STAGE: Final = UpdateWorkflowExecutionLifecycleStage
#: How long one long poll waits; the client asks again.
_POLL_S: Final = 20.0


def _message(kind: str, name: str, args: Any, **about: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "topic": name,
        "args": all_to_stored(args),
        "kwargs": {ABOUT: {key: value for key, value in about.items() if value}},
    }


def _start_failed(error: RPCError) -> RPCError:
    """Return the error of an update with start whose start failed: one status for each of its two operations."""
    aborted = MultiOperationExecutionFailure.OperationStatus(code=int(RPCStatusCode.ABORTED), message="aborted")
    aborted.details.add().Pack(MultiOperationExecutionAborted())
    failed = MultiOperationExecutionFailure.OperationStatus(
        code=int(error.status), message=error.message, details=error.grpc_status.details
    )
    detail = MultiOperationExecutionFailure(statuses=[failed, aborted])
    return rpc.error(error.status, f"Update-with-Start could not be executed: {error.message}", detail)


class WorkflowCalls:
    """Answers the calls of ``WorkflowService`` about single workflows."""

    connection: Connection

    # -- starting ------------------------------------------------------------------------------------------------

    async def start_workflow_execution(
        self, request: v1.StartWorkflowExecutionRequest
    ) -> v1.StartWorkflowExecutionResponse:
        """Start a workflow."""
        started = await self._start(WorkflowStart(request), list(request.input.payloads))
        return v1.StartWorkflowExecutionResponse(run_id=started.run_id, started=started.is_new)

    async def _start(self, start: WorkflowStart, payloads: list[Any]) -> Started:
        if start.request.HasField("versioning_override"):
            raise UnsupportedFeatureError("versioning_override", "give each version of a workflow its own task queue")
        if start.request.cron_schedule:
            try:
                cron.check(start.request.cron_schedule)
            except ValueError as problem:
                raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, f"Invalid cron spec: {problem}") from None
        try:
            return await self.connection.start(start, all_to_stored(payloads))
        except AlreadyRunsError as error:
            detail = WorkflowExecutionAlreadyStartedFailure(
                run_id=error.run_id, start_request_id=start.request.request_id
            )
            raise rpc.error(RPCStatusCode.ALREADY_EXISTS, str(error), detail) from None

    async def signal_with_start_workflow_execution(
        self, request: v1.SignalWithStartWorkflowExecutionRequest
    ) -> v1.SignalWithStartWorkflowExecutionResponse:
        """Start a workflow with its first signal, or signal the one that runs; the signal is never lost between."""
        plain = v1.StartWorkflowExecutionRequest()
        for field in plain.DESCRIPTOR.fields:
            if field.name in request.DESCRIPTOR.fields_by_name and field.name != "request_eager_execution":
                _copy_field(request, plain, field.name)
        headers = map_to_stored(request.header.fields)
        message = _message("signal", request.signal_name, request.signal_input.payloads, headers=headers)
        if not plain.workflow_id_conflict_policy:
            plain.workflow_id_conflict_policy = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        while True:
            started = await self._start(WorkflowStart(plain, message=message), list(request.input.payloads))
            if started.is_new:
                break
            try:
                await rpc.wait(self.connection.post(started.promise_id, {**message, "id": request.request_id}))
            except (ExecutionClosedError, NotFoundError):
                continue  # it ended just now: start it again
            break
        return v1.SignalWithStartWorkflowExecutionResponse(run_id=started.run_id, started=started.is_new)

    async def execute_multi_operation(
        self, request: v1.ExecuteMultiOperationRequest
    ) -> v1.ExecuteMultiOperationResponse:
        """Update with start: the update is part of the start, or goes to the workflow that runs."""
        start, update = request.operations[0].start_workflow, request.operations[1].update_workflow
        earlier = await self._earlier_update(update)
        if earlier is not None:
            return earlier
        update.request.meta.update_id = update.request.meta.update_id or str(uuid.uuid4())
        message = _update_message(update)
        try:
            started = await self._start(WorkflowStart(start, message=message), list(start.input.payloads))
        except RPCError as error:
            raise _start_failed(error) from None
        response = v1.ExecuteMultiOperationResponse()
        response.responses.add().start_workflow.MergeFrom(
            v1.StartWorkflowExecutionResponse(run_id=started.run_id, started=started.is_new)
        )
        if not started.is_new:
            response.responses.add().update_workflow.CopyFrom(await self.update_workflow_execution(update))
            return response
        record = await rpc.wait(self.connection.host.get(started.promise_id))
        assert record is not None
        answer = _update_response(update.workflow_execution.workflow_id, record, update.request.meta.update_id)
        await self._await_update(
            record, reply_id(record.id, update.request.meta.update_id), _wanted_stage(update), answer
        )
        response.responses.add().update_workflow.CopyFrom(answer)
        return response

    async def _earlier_update(
        self, update: v1.UpdateWorkflowExecutionRequest
    ) -> v1.ExecuteMultiOperationResponse | None:
        """Return the answer of the update that the newest run got under the same id, whatever the start's policies."""
        workflow_id, update_id = update.workflow_execution.workflow_id, update.request.meta.update_id
        newest = await rpc.wait(self.connection.host.newest(ids.promise_id(workflow_id)))
        if not update_id or newest is None:
            return None
        reply = reply_id(newest.id, update_id)
        known = await rpc.wait(self.connection.host.get(reply))
        if known is None or not (newest.state == "pending" or known.state == "resolved"):
            return None
        answer = _update_response(workflow_id, newest, update_id)
        await self._await_update(newest, reply, _wanted_stage(update), answer)
        run_id = ids.run_id(newest.id, await rpc.wait(self.connection.host.runs(newest.id)))
        response = v1.ExecuteMultiOperationResponse()
        response.responses.add().start_workflow.MergeFrom(v1.StartWorkflowExecutionResponse(run_id=run_id))
        response.responses.add().update_workflow.CopyFrom(answer)
        return response

    # -- messages ------------------------------------------------------------------------------------------------

    async def _post(self, record: PromiseRecord, message: Mapping[str, Any], workflow_id: str) -> None:
        try:
            await rpc.wait(self.connection.post(record.id, message))
        except ExecutionClosedError:
            raise rpc.error(RPCStatusCode.NOT_FOUND, "workflow execution already completed") from None
        except NotFoundError:
            raise rpc.not_found(workflow_id) from None

    async def signal_workflow_execution(
        self, request: v1.SignalWorkflowExecutionRequest
    ) -> v1.SignalWorkflowExecutionResponse:
        """Signal a workflow; returns when the signal is durable."""
        workflow_id, run_id = rpc.request_fields(request)
        record = await rpc.find_open(self.connection, workflow_id, run_id)
        headers = map_to_stored(request.header.fields)
        message = _message(
            "signal",
            request.signal_name,
            request.input.payloads,
            headers=headers,
            identity=request.identity,
            run_id=run_id,
        )
        await self._post(record, {**message, "id": request.request_id or str(uuid.uuid4())}, workflow_id)
        return v1.SignalWorkflowExecutionResponse()

    async def request_cancel_workflow_execution(
        self, request: v1.RequestCancelWorkflowExecutionRequest
    ) -> v1.RequestCancelWorkflowExecutionResponse:
        """Ask a workflow to cancel."""
        workflow_id, run_id = rpc.request_fields(request)
        record, _ = await rpc.find(self.connection, workflow_id, run_id)
        rpc.check_chain(record, workflow_id, request.first_execution_run_id)
        if record.state != "pending":
            return v1.RequestCancelWorkflowExecutionResponse()
        message = {"kind": "cancel", "args": [request.reason], "id": request.request_id or str(uuid.uuid4())}
        await self._post(record, message, workflow_id)
        return v1.RequestCancelWorkflowExecutionResponse()

    async def terminate_workflow_execution(
        self, request: v1.TerminateWorkflowExecutionRequest
    ) -> v1.TerminateWorkflowExecutionResponse:
        """End a workflow from outside, with its activities, and its children as their policies say."""
        workflow_id, run_id = rpc.request_fields(request)
        record = await rpc.find_open(self.connection, workflow_id, run_id, request.first_execution_run_id)
        details = all_to_stored(request.details.payloads)
        reason = request.reason or "terminated by user via frontend"
        await self.connection.terminate(record.id, reason, identity=request.identity, details=details)
        return v1.TerminateWorkflowExecutionResponse()

    # -- queries -------------------------------------------------------------------------------------------------

    async def query_workflow(self, request: v1.QueryWorkflowRequest) -> v1.QueryWorkflowResponse:
        """Ask a workflow, running or closed, for its state."""
        workflow_id, run_id = rpc.request_fields(request)
        record, _ = await rpc.find(self.connection, workflow_id, run_id)
        response = v1.QueryWorkflowResponse()
        status = status_of(self.connection.host, record)
        if _is_rejected(request.query_reject_condition, status):
            response.query_rejected.status = status
            return response
        headers = map_to_stored(request.query.header.fields)
        value, problem = await self.connection.query(
            record, _message("query", request.query.query_type, request.query.query_args.payloads, headers=headers)
        )
        if problem is not None:
            raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, failures.failure_of(problem).message)
        response.query_result.payloads.append(from_stored(value))
        return response

    # -- updates -------------------------------------------------------------------------------------------------

    async def update_workflow_execution(
        self, request: v1.UpdateWorkflowExecutionRequest
    ) -> v1.UpdateWorkflowExecutionResponse:
        """Send an update and wait as long as the request says."""
        workflow_id, run_id = rpc.request_fields(request)
        record = await rpc.find_open(self.connection, workflow_id, run_id, request.first_execution_run_id)
        update_id = request.request.meta.update_id = request.request.meta.update_id or str(uuid.uuid4())
        reply = reply_id(record.id, update_id)
        await self.connection.open_promise(reply)
        await self.connection.open_promise(accepted_id(reply))
        answers = {"reply": reply, "accepted": accepted_id(reply)}
        message = {**_update_message(request), "id": f"update/{update_id}", **answers}
        await self._post(record, message, workflow_id)
        response = _update_response(workflow_id, record, update_id)
        await self._await_update(record, reply, _wanted_stage(request), response)
        return response

    async def poll_workflow_execution_update(
        self, request: v1.PollWorkflowExecutionUpdateRequest
    ) -> v1.PollWorkflowExecutionUpdateResponse:
        """Wait for an update that was sent before."""
        reference = request.update_ref
        workflow_id = reference.workflow_execution.workflow_id
        record, _ = await rpc.find(self.connection, workflow_id, reference.workflow_execution.run_id)
        reply = reply_id(record.id, reference.update_id)
        if await rpc.wait(self.connection.host.get(reply)) is None:
            raise rpc.error(RPCStatusCode.NOT_FOUND, f"update {reference.update_id!r} not found")
        response = v1.PollWorkflowExecutionUpdateResponse()
        response.update_ref.CopyFrom(reference)
        await self._await_update(record, reply, request.wait_policy.lifecycle_stage, response)
        return response

    async def _await_update(self, record: PromiseRecord, reply: str, stage: int, response: Any) -> None:
        """Wait for a stage of an update, or for the end of its workflow."""
        host = self.connection.host
        is_final = stage == _STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
        answered = asyncio.ensure_future(self._first(*([reply] if is_final else [accepted_id(reply), reply])))
        closed = asyncio.ensure_future(rpc.wait(host.settled(record.id)))
        try:
            await asyncio.wait([answered, closed], timeout=_POLL_S, return_when=asyncio.FIRST_COMPLETED)
            if not answered.done() and closed.done():
                await asyncio.wait([answered], timeout=0.5)
                if not answered.done():
                    raise rpc.error(RPCStatusCode.NOT_FOUND, "workflow execution already completed")
        finally:
            answered.cancel()
            closed.cancel()
        if not answered.done() or answered.cancelled():
            response.stage = _STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
            return
        outcome = await rpc.wait(host.get(reply))
        response.stage = _STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
        if outcome is None or outcome.state == "pending":
            return
        response.stage = _STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
        value, problem = host.outcome(outcome)
        if problem is not None:
            response.outcome.failure.CopyFrom(failures.failure_of(problem))
        else:
            response.outcome.success.CopyFrom(payloads_of([value]))

    async def _first(self, *promises: str) -> None:
        """Wait for the first of several promises; a handler that never waits answers without accepting first."""
        waiting = [asyncio.ensure_future(rpc.wait(self.connection.host.settled(one))) for one in promises]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()


def _update_message(request: v1.UpdateWorkflowExecutionRequest) -> dict[str, Any]:
    inner, meta = request.request.input, request.request.meta
    headers = map_to_stored(inner.header.fields)
    return _message(
        "update", inner.name, inner.args.payloads, headers=headers, identity=meta.identity, update_id=meta.update_id
    )


def _wanted_stage(request: v1.UpdateWorkflowExecutionRequest) -> int:
    return request.wait_policy.lifecycle_stage or _STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED


def _update_response(workflow_id: str, record: PromiseRecord, update_id: str) -> v1.UpdateWorkflowExecutionResponse:
    response = v1.UpdateWorkflowExecutionResponse()
    response.update_ref.update_id = update_id
    response.update_ref.workflow_execution.workflow_id = workflow_id
    response.update_ref.workflow_execution.run_id = ids.run_id(record.id, 0)
    return response


def _copy_field(source: Any, target: Any, name: str) -> None:
    field = source.DESCRIPTOR.fields_by_name[name]
    if field.is_repeated:
        getattr(target, name).extend(getattr(source, name))
    elif field.message_type is None:
        setattr(target, name, getattr(source, name))
    elif source.HasField(name):
        getattr(target, name).CopyFrom(getattr(source, name))


def _is_rejected(condition: int, status: int) -> bool:
    running = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
    completed = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED
    if condition == QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN:
        return status != running
    if condition == QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY:
        return status not in (running, completed)
    return False
