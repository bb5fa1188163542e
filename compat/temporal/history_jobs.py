"""From what an activation tells to the events that Temporal has written before it, one function per kind of job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from temporalio.bridge.proto.child_workflow import StartChildWorkflowExecutionFailedCause as StartFailed
from temporalio.bridge.proto.workflow_commands import ActivityCancellationType

from compat.temporal.fields import assign
from compat.temporal.history_commands import json_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.temporal.history import HistoryWriter

LOCAL_MARKER: Final = "core_local_activity"


def _signaled(history: HistoryWriter, job: Any) -> None:
    attributes = history.add("WORKFLOW_EXECUTION_SIGNALED")
    attributes.signal_name = job.signal_name
    attributes.input.payloads.extend(job.input)
    attributes.identity = job.identity
    for key, value in job.headers.items():
        attributes.header.fields[key].CopyFrom(value)


def _cancel_requested(history: HistoryWriter, job: Any) -> None:
    history.add("WORKFLOW_EXECUTION_CANCEL_REQUESTED").cause = job.reason


def _timer_fired(history: HistoryWriter, job: Any) -> None:
    attributes = history.add("TIMER_FIRED")
    attributes.timer_id = str(job.seq)
    attributes.started_event_id = history.numbers.get(("timer", job.seq), 0)


# -- activities ------------------------------------------------------------------------------------------------------


def _activity_ended(history: HistoryWriter, job: Any) -> None:
    if job.is_local:
        _local_ended(history, job)
        return
    scheduled = history.about.get(("activity", job.seq))
    number = history.numbers.get(("activity", job.seq), 0)
    is_waited_for = scheduled is None or (
        scheduled.cancellation_type == ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    )
    status = job.result.WhichOneof("status")
    if status == "cancelled" and not is_waited_for:
        return  # it was told at once, of what it had asked for
    started = history.add("ACTIVITY_TASK_STARTED")
    started.scheduled_event_id = number
    started.identity = history.identity
    started.attempt = 1
    begun = len(history.events)
    if status == "completed":
        attributes = history.add("ACTIVITY_TASK_COMPLETED")
        attributes.result.payloads.append(job.result.completed.result)
    elif status == "cancelled":
        attributes = history.add("ACTIVITY_TASK_CANCELED")
        cause = job.result.cancelled.failure.cause
        attributes.details.CopyFrom(cause.canceled_failure_info.details)
        attributes.latest_cancel_requested_event_id = history.numbers.get(("activity-cancel", job.seq), 0)
    else:
        failure = job.result.failed.failure
        is_late = failure.cause.HasField("timeout_failure_info")
        attributes = history.add("ACTIVITY_TASK_TIMED_OUT" if is_late else "ACTIVITY_TASK_FAILED")
        attributes.failure.CopyFrom(failure.cause)
        attributes.retry_state = failure.activity_failure_info.retry_state
    attributes.scheduled_event_id = number
    attributes.started_event_id = begun
    assign(attributes, "identity", history.identity)


def _local_ended(history: HistoryWriter, job: Any) -> None:
    """A local activity belongs to the task in which it ran: its marker is no reason for another."""
    command = history.about.get(("local", job.seq))
    if command is None or job.result.HasField("cancelled"):
        return
    attributes = history.add("MARKER_RECORDED")
    attributes.marker_name = LOCAL_MARKER
    attributes.workflow_task_completed_event_id = history.task_id
    facts = {
        "seq": job.seq,
        "attempt": 1,
        "activity_id": command.activity_id or str(job.seq),
        "activity_type": command.activity_type,
        "complete_time": history.timestamp,
        "backoff": None,
        "original_schedule_time": history.timestamp,
        "activation_index": history.next_activation_index(),
    }
    attributes.details["data"].payloads.append(json_payload(facts))
    if job.result.HasField("completed"):
        attributes.details["result"].payloads.append(job.result.completed.result)
    else:
        attributes.failure.CopyFrom(job.result.failed.failure.cause)


# -- children --------------------------------------------------------------------------------------------------------


def _about_child(history: HistoryWriter, attributes: Any, seq: int) -> None:
    child = history.about.get(("child", seq))
    attributes.initiated_event_id = history.numbers.get(("child", seq), 0)
    if child is not None:
        attributes.namespace = child.namespace
        attributes.workflow_type.name = child.workflow_type


def _child_started(history: HistoryWriter, job: Any) -> None:
    status = job.WhichOneof("status")
    if status == "cancelled":
        return
    if status == "failed":
        attributes = history.add("START_CHILD_WORKFLOW_EXECUTION_FAILED")
        _about_child(history, attributes, job.seq)
        attributes.workflow_id = job.failed.workflow_id
        attributes.cause = 1 if job.failed.cause == StartFailed.Value(StartFailed.keys()[1]) else 2
        return
    attributes = history.add("CHILD_WORKFLOW_EXECUTION_STARTED")
    _about_child(history, attributes, job.seq)
    child = history.about.get(("child", job.seq))
    attributes.workflow_execution.workflow_id = child.workflow_id if child is not None else ""
    attributes.workflow_execution.run_id = job.succeeded.run_id
    history.remember("child-started", job.seq, attributes.workflow_execution)


#: Kind of failure of a child -> its event.
_CHILD_ENDS: Final = {
    "timeout_failure_info": "CHILD_WORKFLOW_EXECUTION_TIMED_OUT",
    "terminated_failure_info": "CHILD_WORKFLOW_EXECUTION_TERMINATED",
    "canceled_failure_info": "CHILD_WORKFLOW_EXECUTION_CANCELED",
}


def _child_ended(history: HistoryWriter, job: Any) -> None:
    status = job.result.WhichOneof("status")
    failure = None if status == "completed" else getattr(job.result, status).failure
    name = "CHILD_WORKFLOW_EXECUTION_COMPLETED"
    if failure is not None:
        kind = failure.cause.WhichOneof("failure_info") or ""
        name = _CHILD_ENDS.get(kind, "CHILD_WORKFLOW_EXECUTION_FAILED")
    attributes = history.add(name)
    _about_child(history, attributes, job.seq)
    attributes.started_event_id = history.numbers.get(("child-started", job.seq), 0)
    execution = history.about.get(("child-started", job.seq))
    if execution is not None:
        attributes.workflow_execution.CopyFrom(execution)
    if failure is None:
        attributes.result.payloads.append(job.result.completed.result)
    elif name == "CHILD_WORKFLOW_EXECUTION_FAILED":
        attributes.failure.CopyFrom(failure.cause)
        attributes.retry_state = failure.child_workflow_execution_failure_info.retry_state
    elif name == "CHILD_WORKFLOW_EXECUTION_CANCELED":
        attributes.details.CopyFrom(failure.cause.canceled_failure_info.details)


# -- other workflows -------------------------------------------------------------------------------------------------


def _signal_sent(history: HistoryWriter, job: Any) -> None:
    is_lost = job.HasField("failure")
    name = "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED" if is_lost else "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"
    _about_other(history, history.add(name), "signal", job.seq, is_lost=is_lost)


def _cancel_sent(history: HistoryWriter, job: Any) -> None:
    is_lost = job.HasField("failure")
    name = "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED"
    if is_lost:
        name = "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"
    _about_other(history, history.add(name), "cancel", job.seq, is_lost=is_lost)


def _about_other(history: HistoryWriter, attributes: Any, kind: str, seq: int, *, is_lost: bool) -> None:
    attributes.initiated_event_id = history.numbers.get((kind, seq), 0)
    initiated = history.about.get((kind, seq))
    if initiated is not None:
        attributes.namespace = initiated.namespace
        attributes.workflow_execution.CopyFrom(initiated.workflow_execution)
    if is_lost:
        attributes.cause = 1  # not found, in the enums of both


#: Kinds of jobs that are events.
JOB_EVENTS: Final[Mapping[str, Callable[[HistoryWriter, Any], None]]] = {
    "signal_workflow": _signaled,
    "cancel_workflow": _cancel_requested,
    "fire_timer": _timer_fired,
    "resolve_activity": _activity_ended,
    "resolve_child_workflow_execution_start": _child_started,
    "resolve_child_workflow_execution": _child_ended,
    "resolve_signal_external_workflow": _signal_sent,
    "resolve_request_cancel_external_workflow": _cancel_sent,
}
