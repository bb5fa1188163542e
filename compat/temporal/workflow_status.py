"""From the record of an execution to Temporal's words: its status, and the event that closed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from temporalio.api.enums.v1 import EventType, RetryState, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent

from compat.temporal import failures
from compat.temporal.payloads import payloads_of
from resonate_core import CanceledError, TimedOutError

if TYPE_CHECKING:
    from resonate_core import DriverHost, PromiseRecord

_STATUS: Final[dict[str, Any]] = {
    "COMPLETED": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
    "FAILED": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED,
    "CANCELED": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED,
    "TERMINATED": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED,
    "TIMED_OUT": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
}


def status_name(host: DriverHost, record: PromiseRecord) -> str:
    """Return the status of a record without Temporal's prefix."""
    if record.state == "pending":
        return "RUNNING"
    if record.state == "resolved":
        return "COMPLETED"
    _, error = host.outcome(record)
    known: str | None = failures.details_of(error).get("status")
    if known is not None:
        return known
    if isinstance(error, TimedOutError):
        return "TIMED_OUT"
    if failures.is_cancellation(error):
        return "CANCELED"
    return "TERMINATED" if isinstance(error, CanceledError) else "FAILED"


def status_of(host: DriverHost, record: PromiseRecord) -> WorkflowExecutionStatus.ValueType:
    """Return the status of a record."""
    name = status_name(host, record)
    running = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
    found: WorkflowExecutionStatus.ValueType = _STATUS.get(name, running)
    return found


def close_event(host: DriverHost, record: PromiseRecord) -> HistoryEvent:
    """Return the event that closed an execution."""
    value, error = host.outcome(record)
    status = status_name(host, record)
    kind = "EVENT_TYPE_WORKFLOW_EXECUTION_" + status
    event = HistoryEvent(event_id=2, event_type=EventType.Value(kind))
    event.event_time.FromMilliseconds(record.settled_at or record.timeout_at)
    if status == "COMPLETED":
        event.workflow_execution_completed_event_attributes.result.CopyFrom(payloads_of([value]))
        return event
    assert error is not None
    failure = failures.failure_of(error)
    if status == "FAILED":
        event.workflow_execution_failed_event_attributes.failure.CopyFrom(failure)
        state = failures.details_of(error).get("retry_state", RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET)
        event.workflow_execution_failed_event_attributes.retry_state = state
    elif status == "CANCELED":
        details = failure.canceled_failure_info.details
        event.workflow_execution_canceled_event_attributes.details.CopyFrom(details)
    elif status == "TERMINATED":
        reason = failure.message
        event.workflow_execution_terminated_event_attributes.reason = reason
        given = failures.details_of(error).get("terminated")
        if given:
            event.workflow_execution_terminated_event_attributes.details.CopyFrom(payloads_of(given))
    else:
        event.workflow_execution_timed_out_event_attributes.retry_state = RetryState.RETRY_STATE_TIMEOUT
    return event
