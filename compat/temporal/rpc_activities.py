"""Calls that complete, fail, cancel or keep alive an activity from outside, by its task token or by its id."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from temporalio.api.workflowservice import v1
from temporalio.service import RPCStatusCode

from compat.temporal import failures, rpc
from compat.temporal.activity_driver import promise_of
from compat.temporal.activity_meta import TAG_RUN
from compat.temporal.payloads import all_to_stored
from compat.temporal.starts import TAG_ACTIVITY, TAG_WORKFLOW
from resonate_core import ExecutionClosedError, NotFoundError

if TYPE_CHECKING:
    from compat.temporal.connection import Connection


class ActivityCalls:
    """Answers the calls of ``WorkflowService`` about running activities."""

    connection: Connection

    async def _promise(self, request: Any) -> str:
        """Return the promise of the activity that a request means."""
        if hasattr(request, "task_token"):
            try:
                return promise_of(request.task_token)
            except ValueError:
                raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, "invalid task token") from None
        tags = {TAG_WORKFLOW: request.workflow_id, TAG_ACTIVITY: request.activity_id}
        if request.run_id:
            tags[TAG_RUN] = request.run_id
        found = await rpc.wait(self.connection.host.search(state="pending", tags=tags))
        if not found:
            raise _gone(request.activity_id)
        return found[-1].id

    async def _tell_activity(self, request: Any, message: dict[str, Any]) -> str:
        promise_id = await self._promise(request)
        try:
            await rpc.wait(self.connection.post(promise_id, {"id": str(uuid.uuid4()), **message}))
        except (ExecutionClosedError, NotFoundError):
            raise _gone(promise_id) from None
        return promise_id

    async def _report(self, request: Any, outcome: dict[str, Any]) -> None:
        await self._tell_activity(request, {"kind": "complete", "args": [outcome]})

    # -- by token ------------------------------------------------------------------------------------------------

    async def respond_activity_task_completed(self, request: Any) -> v1.RespondActivityTaskCompletedResponse:
        """Complete an activity."""
        results = all_to_stored(request.result.payloads)
        await self._report(request, {"result": results[0] if results else None})
        return v1.RespondActivityTaskCompletedResponse()

    async def respond_activity_task_failed(self, request: Any) -> v1.RespondActivityTaskFailedResponse:
        """Fail the attempt of an activity."""
        details = all_to_stored(request.last_heartbeat_details.payloads)
        await self._report(request, {"failure": failures.to_dict(request.failure), "details": details})
        return v1.RespondActivityTaskFailedResponse()

    async def respond_activity_task_canceled(self, request: Any) -> v1.RespondActivityTaskCanceledResponse:
        """Say that an activity was cancelled."""
        failure = failures.canceled("Cancelled")
        failure.canceled_failure_info.details.CopyFrom(request.details)
        await self._report(request, {"failure": failures.to_dict(failure)})
        return v1.RespondActivityTaskCanceledResponse()

    async def record_activity_task_heartbeat(self, request: Any) -> v1.RecordActivityTaskHeartbeatResponse:
        """Keep an activity alive, and say whether it shall stop."""
        reply = f"heartbeat.{uuid.uuid4()}"
        await self.connection.open_promise(reply)
        details = all_to_stored(request.details.payloads)
        promise_id = await self._tell_activity(request, {"kind": "heartbeat", "args": [details], "reply": reply})
        answer = await self.connection.answer(promise_id, reply)
        if answer is None:
            raise _gone(promise_id)
        value, _ = self.connection.host.outcome(answer)
        return v1.RecordActivityTaskHeartbeatResponse(cancel_requested=bool(value["cancel_requested"]))

    # -- by id: the same, with other names ------------------------------------------------------------------------

    async def respond_activity_task_completed_by_id(self, request: Any) -> v1.RespondActivityTaskCompletedByIdResponse:
        """Complete an activity."""
        await self.respond_activity_task_completed(request)
        return v1.RespondActivityTaskCompletedByIdResponse()

    async def respond_activity_task_failed_by_id(self, request: Any) -> v1.RespondActivityTaskFailedByIdResponse:
        """Fail the attempt of an activity."""
        await self.respond_activity_task_failed(request)
        return v1.RespondActivityTaskFailedByIdResponse()

    async def respond_activity_task_canceled_by_id(self, request: Any) -> v1.RespondActivityTaskCanceledByIdResponse:
        """Say that an activity was cancelled."""
        await self.respond_activity_task_canceled(request)
        return v1.RespondActivityTaskCanceledByIdResponse()

    async def record_activity_task_heartbeat_by_id(self, request: Any) -> v1.RecordActivityTaskHeartbeatByIdResponse:
        """Keep an activity alive, and say whether it shall stop."""
        answer = await self.record_activity_task_heartbeat(request)
        return v1.RecordActivityTaskHeartbeatByIdResponse(cancel_requested=answer.cancel_requested)


def _gone(what: str) -> Exception:
    return rpc.error(RPCStatusCode.NOT_FOUND, f"activity not found, or it has ended: {what}")
