"""Calls about schedules: each is a durable execution, see ``schedule_driver``."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import ParseDict
from temporalio.api.common.v1 import Memo, SearchAttributes
from temporalio.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from temporalio.api.schedule.v1 import Schedule, ScheduleInfo
from temporalio.api.workflowservice import v1
from temporalio.service import RPCStatusCode

from compat.temporal import ids, rpc
from compat.temporal.groups import workflow_group
from compat.temporal.schedule_driver import EVENT
from compat.temporal.schedule_spec import check, future_times
from compat.temporal.starts import FOREVER_S, TAG_KIND, message_to_dict
from resonate_core import AlreadyStartedError, ExecutionClosedError, NotFoundError

if TYPE_CHECKING:
    from compat.temporal.connection import Connection
    from resonate_core import PromiseRecord

_FUNCTION: Final = "temporal.schedule"
#: How long a change waits to be taken in; without a worker it is taken in when there is one.
_APPLIED_S: Final = 2.0


def _promise_id(schedule_id: str) -> str:
    return f"temporal-schedule:{ids.promise_id(schedule_id)}"


def _schedule_id(record: PromiseRecord) -> str:
    return ids.workflow_id(record.tags["temporal:schedule-id"])


def _first_info(record: PromiseRecord, state: dict[str, Any]) -> ScheduleInfo:
    """Return what is known of a schedule before a worker has taken it up."""
    info = ScheduleInfo()
    info.create_time.FromMilliseconds(record.created_at)
    after = datetime.fromtimestamp(record.created_at / 1000, UTC)
    spec = ParseDict(state["schedule"], Schedule()).spec
    for time in future_times(spec, after, _promise_id(_schedule_id(record))):
        info.future_action_times.add().FromDatetime(time)
    return info


class ScheduleCalls:
    """Answers the calls of ``WorkflowService`` about schedules."""

    connection: Connection

    async def create_schedule(self, request: v1.CreateScheduleRequest) -> v1.CreateScheduleResponse:
        """Create a schedule."""
        try:
            check(request.schedule.spec)
        except (ValueError, KeyError, OSError) as problem:
            raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, f"Invalid schedule spec: {problem}") from None
        state: dict[str, Any] = {
            "schedule": message_to_dict(request.schedule),
            "memo": message_to_dict(request.memo),
            "attributes": message_to_dict(request.search_attributes),
        }
        if request.HasField("initial_patch"):
            state["patch"] = message_to_dict(request.initial_patch)
        promise_id = _promise_id(request.schedule_id)
        starting = self.connection.resonate.options(
            target=workflow_group(request.schedule.action.start_workflow.task_queue.name),
            tags={TAG_KIND: "schedule", "temporal:schedule-id": ids.promise_id(request.schedule_id)},
            timeout=FOREVER_S,
            if_exists="restart_closed",
        )
        try:
            await starting.aio.begin_rpc(promise_id, _FUNCTION, state)
        except AlreadyStartedError:
            detail = WorkflowExecutionAlreadyStartedFailure()
            raise rpc.error(RPCStatusCode.ALREADY_EXISTS, "schedule already registered", detail) from None
        return v1.CreateScheduleResponse()

    async def _find(self, schedule_id: str) -> PromiseRecord:
        record = await rpc.wait(self.connection.host.newest(_promise_id(schedule_id)))
        if record is None or record.state != "pending":
            raise rpc.error(RPCStatusCode.NOT_FOUND, "schedule not found")
        return record

    async def _state(self, record: PromiseRecord) -> dict[str, Any]:
        published: dict[str, Any] | None = await rpc.wait(self.connection.host.event(record.id, EVENT))
        if published is not None:
            return published
        first: dict[str, Any] = self.connection.host.arguments(record)[0]
        return {**first, "info": message_to_dict(_first_info(record, first))}

    async def describe_schedule(self, request: v1.DescribeScheduleRequest) -> v1.DescribeScheduleResponse:
        """Describe a schedule."""
        record = await self._find(request.schedule_id)
        state = await self._state(record)
        response = v1.DescribeScheduleResponse(
            schedule=ParseDict(state["schedule"], Schedule()), info=ParseDict(state.get("info") or {}, ScheduleInfo())
        )
        response.memo.CopyFrom(ParseDict(state.get("memo") or {}, Memo()))
        response.search_attributes.CopyFrom(ParseDict(state.get("attributes") or {}, SearchAttributes()))
        return response

    async def _tell_schedule(self, schedule_id: str, topic: str, content: dict[str, Any]) -> None:
        record = await self._find(schedule_id)
        reply = f"{record.id}.update.{uuid.uuid4()}"
        await self.connection.open_promise(reply)
        message = {"kind": "send", "topic": topic, "args": [content], "reply": reply, "id": reply}
        try:
            await rpc.wait(self.connection.post(record.id, message))
        except (ExecutionClosedError, NotFoundError):
            raise rpc.error(RPCStatusCode.NOT_FOUND, "schedule not found") from None
        await asyncio.wait([asyncio.ensure_future(self.connection.answer(record.id, reply))], timeout=_APPLIED_S)

    async def update_schedule(self, request: v1.UpdateScheduleRequest) -> v1.UpdateScheduleResponse:
        """Replace a schedule."""
        try:
            check(request.schedule.spec)
        except (ValueError, KeyError, OSError) as problem:
            raise rpc.error(RPCStatusCode.INVALID_ARGUMENT, f"Invalid schedule spec: {problem}") from None
        await self._tell_schedule(request.schedule_id, "update", message_to_dict(request.schedule))
        return v1.UpdateScheduleResponse()

    async def patch_schedule(self, request: v1.PatchScheduleRequest) -> v1.PatchScheduleResponse:
        """Pause, unpause, trigger or backfill a schedule."""
        await self._tell_schedule(request.schedule_id, "patch", message_to_dict(request.patch))
        return v1.PatchScheduleResponse()

    async def delete_schedule(self, request: v1.DeleteScheduleRequest) -> v1.DeleteScheduleResponse:
        """Delete a schedule; workflows that it has started go on. No worker is needed for that."""
        record = await self._find(request.schedule_id)
        await rpc.wait(self.connection.host.settle(record.id))
        return v1.DeleteScheduleResponse()

    async def list_schedules(self, _request: v1.ListSchedulesRequest) -> v1.ListSchedulesResponse:
        """List schedules."""
        response = v1.ListSchedulesResponse()
        for record in await rpc.wait(self.connection.host.search(state="pending", tags={TAG_KIND: "schedule"})):
            state = await self._state(record)
            schedule = ParseDict(state["schedule"], Schedule())
            info = ParseDict(state.get("info") or {}, ScheduleInfo())
            entry = response.schedules.add(schedule_id=_schedule_id(record))
            entry.memo.CopyFrom(ParseDict(state.get("memo") or {}, Memo()))
            entry.search_attributes.CopyFrom(ParseDict(state.get("attributes") or {}, SearchAttributes()))
            entry.info.spec.CopyFrom(schedule.spec)
            entry.info.workflow_type.CopyFrom(schedule.action.start_workflow.workflow_type)
            entry.info.notes, entry.info.paused = schedule.state.notes, schedule.state.paused
            entry.info.recent_actions.extend(info.recent_actions)
            entry.info.future_action_times.extend(info.future_action_times)
        return response
