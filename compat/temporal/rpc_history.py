"""The call that asks for the history of a workflow: its last event, or all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from temporalio.api.enums.v1 import EventType, HistoryEventFilterType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice import v1
from temporalio.service import RPCStatusCode

from compat.temporal import ids, rpc
from compat.temporal.workflow_status import close_event
from resonate_core import ResonateCoreError, TimedOutError

if TYPE_CHECKING:
    from compat.temporal.connection import Connection
    from resonate_core import PromiseRecord

#: How long one long poll waits; the client asks again.
_POLL_S: Final = 20.0
#: How often an open workflow is looked at for new events.
_LOOK_S: Final = 0.2


class HistoryCalls:
    """Answers ``get_workflow_execution_history``."""

    connection: Connection

    async def get_workflow_execution_history(
        self, request: v1.GetWorkflowExecutionHistoryRequest
    ) -> v1.GetWorkflowExecutionHistoryResponse:
        """Return the event that closed a run, or all its events; waits for the next if asked to."""
        workflow_id, asked_run = rpc.request_fields(request)
        record, run = await rpc.find(self.connection, workflow_id, asked_run)
        response = v1.GetWorkflowExecutionHistoryResponse()
        if request.history_event_filter_type == HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT:
            events = await self._last_event(record, run if asked_run else None, waits=request.wait_new_event)
            response.history.events.extend(events)
            if not events and request.wait_new_event:
                response.next_page_token = b"again"
            return response
        known = int(request.next_page_token or b"0")
        deadline = asyncio.get_running_loop().time() + _POLL_S
        while True:
            events, is_over = await self._all_events(record.id, run)
            if len(events) > known or is_over or not request.wait_new_event:
                break
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(_LOOK_S)
        response.history.events.extend(events[known:])
        if request.wait_new_event and not is_over:
            response.next_page_token = str(len(events)).encode()
        return response

    async def _last_event(self, record: PromiseRecord, run: int | None, *, waits: bool) -> list[HistoryEvent]:
        """Return the event that closed a run, or with no run the whole chain of runs; empty while there is none."""
        host = self.connection.host
        following = None if run is None else host.run_promise(record.id, run + 1)
        if following is not None and (continued := await rpc.wait(host.get(following))) is not None:
            return [_continued(record.id, run or 0, continued)]
        if record.state != "pending":
            return [close_event(host, record)]
        ends = [record.id] if following is None else [record.id, following]
        waiting = [asyncio.ensure_future(rpc.wait(host.settled(end))) for end in ends]
        try:
            done, _ = await asyncio.wait(waiting, timeout=_POLL_S if waits else 0, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        if not done:
            return []
        if waiting[0] in done:
            return [close_event(host, waiting[0].result())]
        return [_continued(record.id, run or 0, waiting[1].result())]

    async def _all_events(self, promise_id: str, run: int) -> tuple[list[HistoryEvent], bool]:
        """Return the events of a run so far, and whether there will be no more."""
        host = self.connection.host
        record = await rpc.wait(host.get(promise_id))
        assert record is not None
        continued = await rpc.wait(host.get(host.run_promise(promise_id, run + 1)))
        try:
            events = await self.connection.replays.history(record, run)
        except TimedOutError:
            raise rpc.error(
                RPCStatusCode.DEADLINE_EXCEEDED,
                "no worker of the workflow's task queue has replayed it: a history is told by the workflow's code",
            ) from None
        except ResonateCoreError as problem:
            message = f"the workflow's code could not be replayed: {problem}"
            raise rpc.error(RPCStatusCode.INTERNAL, message) from problem
        last = None
        if continued is not None:
            last = _continued(promise_id, run, continued)
        elif record.state != "pending":
            last = close_event(host, record)
        if last is not None:
            events = [*events, _after(last, events)]
        return events, last is not None


def _continued(promise_id: str, run: int, following: PromiseRecord) -> HistoryEvent:
    """Return the event with which a run gave way to the next."""
    event = HistoryEvent(event_id=2, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)
    event.event_time.FromMilliseconds(following.created_at)
    attributes = event.workflow_execution_continued_as_new_event_attributes
    attributes.new_execution_run_id = ids.run_id(promise_id, run + 1)
    return event


def _after(last: HistoryEvent, events: list[HistoryEvent]) -> HistoryEvent:
    """Return a closing event with its place behind others."""
    last.event_id = len(events) + 1
    last.task_id = events[-1].task_id + 1 if events else 0
    attributes: Any = getattr(last, last.WhichOneof("attributes") or "")
    tasks = [e.event_id for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    if tasks and "workflow_task_completed_event_id" in attributes.DESCRIPTOR.fields_by_name:
        attributes.workflow_task_completed_event_id = tasks[-1]
    return last
