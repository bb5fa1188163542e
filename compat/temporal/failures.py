"""From Temporal's failures to stored errors, and back.

A failure is stored as a rejected promise whose error is an ``ApplicationError``: migrated code that awaits it catches
that, by type and message, and the shim finds the whole failure in its details.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure

from compat.temporal.fields import assign
from compat.temporal.payloads import payloads_of
from resonate_core import ApplicationError, CanceledError, Cancelled, RemoteError, TimedOutError

#: Key of the details object that carries the failure.
FAILURE: Final = "temporal:failure"

NO_TIME_LEFT: Final = (
    "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"
)


def to_dict(failure: Failure) -> dict[str, Any]:
    """Return a failure as JSON."""
    plain: dict[str, Any] = MessageToDict(failure, preserving_proto_field_name=True)
    return plain


def from_dict(plain: dict[str, Any]) -> Failure:
    """Return a failure from its JSON."""
    return ParseDict(plain, Failure(), ignore_unknown_fields=True)


def error_of(failure: Failure, **about: Any) -> ApplicationError:
    """Return the error that is stored for a failure.

    Args:
        failure: what happened.
        about: further facts, such as the status in which a workflow closed.
    """
    kind = failure.application_failure_info.type or failure.WhichOneof("failure_info") or "Failure"
    return ApplicationError(failure.message, {FAILURE: to_dict(failure), **about}, type=kind, non_retryable=True)


def details_of(error: BaseException | None) -> dict[str, Any]:
    """Return the details object that ``error_of`` made, empty for other errors."""
    details = getattr(error, "details", None)
    if isinstance(error, ApplicationError) and details and isinstance(details[0], dict) and FAILURE in details[0]:
        found: dict[str, Any] = details[0]
        return found
    return {}


def is_cancellation(error: BaseException | None) -> bool:
    """Whether an error is how a migrated workflow ends that was cancelled."""
    return isinstance(error, Cancelled) or (isinstance(error, RemoteError) and error.type == Cancelled.__name__)


def failure_of(error: BaseException) -> Failure:
    """Return the failure of an error, also of one that plain Resonate code raised."""
    known = details_of(error)
    if known:
        return from_dict(known[FAILURE])
    if isinstance(error, TimedOutError):
        return timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, "activity ScheduleToClose timeout")
    if isinstance(error, CanceledError) or is_cancellation(error):
        return canceled(str(error))
    failure = Failure(message=str(error), source="Resonate")
    info = failure.application_failure_info
    is_typed = isinstance(error, ApplicationError)  # Temporal gives no name to one that has none either
    info.type = getattr(error, "type", None) or ("" if is_typed else type(error).__name__)
    info.non_retryable = bool(getattr(error, "non_retryable", False))
    if isinstance(error, ApplicationError) and error.details:
        info.details.CopyFrom(payloads_of(list(error.details)))
    return failure


def application(message: str, kind: str, *, non_retryable: bool = False) -> Failure:
    """Return an application failure."""
    failure = Failure(message=message, source="Resonate")
    failure.application_failure_info.type = kind
    failure.application_failure_info.non_retryable = non_retryable
    return failure


def timeout(kind: TimeoutType.ValueType, message: str) -> Failure:
    """Return a timeout failure."""
    failure = Failure(message=message)
    failure.timeout_failure_info.timeout_type = kind
    return failure


def canceled(message: str) -> Failure:
    """Return a cancellation failure."""
    failure = Failure(message=message)
    failure.canceled_failure_info.SetInParent()
    return failure


def of_activity(
    cause: Failure, *, activity_id: str, activity_type: str, retry_state: RetryState.ValueType, identity: str = ""
) -> Failure:
    """Return what a workflow sees of a failed activity."""
    message = "Activity task failed"
    if cause.HasField("canceled_failure_info"):
        message = "Activity cancelled"
    elif cause.HasField("timeout_failure_info"):
        message = "Activity task timed out"
    failure = Failure(message=message, cause=cause)
    info = failure.activity_failure_info
    info.activity_id = activity_id
    info.activity_type.name = activity_type
    info.retry_state = retry_state
    info.identity = identity
    return failure


#: What the parent reads of a child that ended otherwise than by failing.
_CHILD_ENDS: Final = {
    "canceled_failure_info": "Child Workflow execution cancelled",
    "timeout_failure_info": "Child Workflow execution timed out",
    "terminated_failure_info": "Child Workflow execution terminated",
}


def of_child(
    cause: Failure,
    *,
    namespace: str,
    workflow_id: str,
    run_id: str,
    workflow_type: str,
    retry_state: RetryState.ValueType,
) -> Failure:
    """Return what a workflow sees of a failed child."""
    message = "Child Workflow execution failed"
    message = _CHILD_ENDS.get(cause.WhichOneof("failure_info") or "", message)
    failure = Failure(message=message, cause=cause)
    info = failure.child_workflow_execution_failure_info
    info.namespace = namespace
    info.workflow_execution.workflow_id = workflow_id
    info.workflow_execution.run_id = run_id
    info.workflow_type.name = workflow_type
    info.retry_state = retry_state
    return failure


def terminated(reason: str, identity: str = "", details: list[Any] | None = None) -> ApplicationError:
    """Return the error with which a workflow is ended from outside."""
    failure = Failure(message=reason or "terminated")
    failure.terminated_failure_info.SetInParent()
    assign(failure.terminated_failure_info, "identity", identity)
    return error_of(failure, status="TERMINATED", terminated=details or [])


def _is_late(failure: Failure) -> bool:
    """Whether nobody began in time: there was no attempt that could be tried again."""
    return failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START


def last_of(failure: Failure, before: Failure | None, state: RetryState.ValueType) -> Failure:
    """Return what is reported of an activity's last attempt: a limit that was hit carries the failure before it.

    Args:
        failure: of the last attempt.
        before: of the attempt before that.
        state: why there is no other attempt.
    """
    if not failure.HasField("timeout_failure_info") or _is_late(failure):
        return failure
    if state == RetryState.RETRY_STATE_TIMEOUT:
        failure = timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, NO_TIME_LEFT)
    if before is not None:
        failure.cause.CopyFrom(before)
        failure.cause.ClearField("cause")
        if before.HasField("timeout_failure_info"):
            failure.cause.timeout_failure_info.ClearField("last_heartbeat_details")
    return failure
