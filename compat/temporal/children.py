"""Child workflows of one run: started by a durable step, followed by their promise, closed as their policy says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.bridge.proto.child_workflow import (
    ChildWorkflowCancellationType,
    ParentClosePolicy,
    StartChildWorkflowExecutionFailedCause,
)

from compat.temporal import activations, failures
from compat.temporal.fields import attributes_of, has
from compat.temporal.payloads import all_to_stored
from compat.temporal.starts import WorkflowStart
from resonate_core import TimedOutError

if TYPE_CHECKING:
    from collections.abc import Generator

    from temporalio.api.failure.v1 import Failure

    from compat.temporal.workflow_driver import WorkflowRun

    Doing = Generator[Any, Any, None]

TAG_PARENT = "temporal:parent"
TAG_CLOSE = "temporal:parent-close"

_COPIED = (
    *("workflow_execution_timeout", "workflow_run_timeout", "workflow_task_timeout"),
    *("retry_policy", "priority"),
)
_ALREADY = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS


@dataclass
class Child:
    """One child that was started."""

    seq: int
    workflow_id: str
    workflow_type: str
    namespace: str
    promise_id: str
    run_id: str
    policy: int
    cancellation_type: int

    def wrapped(self, cause: Failure, state: RetryState.ValueType) -> Failure:
        """Return a failure as the parent sees it."""
        return failures.of_child(
            cause,
            namespace=self.namespace,
            workflow_id=self.workflow_id,
            run_id=self.run_id,
            workflow_type=self.workflow_type,
            retry_state=state,
        )


class Children:
    """The children of one run that have not ended."""

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self._open: dict[int, Child] = {}
        self._unfollowed: list[Child] = []

    # -- starting ------------------------------------------------------------------------------------------------

    def start(self, command: Any) -> Doing:
        """Start a child; the instance is told how that went, and later how the child ended."""
        run = self._run
        start = self._start_of(command)
        arguments = all_to_stored(command.input)
        tags = {TAG_PARENT: run.promise_id, TAG_CLOSE: str(int(command.parent_close_policy))}
        request_id = f"{run.ctx.base}/{command.seq}"

        async def start_child() -> Any:
            return await run.host.start_child(start, arguments, tags=tags, request_id=request_id)

        started = yield run.ctx.run(start_child).options(retry_policy=None)
        if "promise_id" not in started:
            job = activations.WorkflowActivationJob()
            failed = job.resolve_child_workflow_execution_start
            failed.seq = command.seq
            failed.failed.workflow_id = command.workflow_id
            failed.failed.workflow_type = command.workflow_type
            failed.failed.cause = _ALREADY
            run.local_jobs.append(job)
            return
        child = Child(
            command.seq,
            command.workflow_id,
            command.workflow_type,
            command.namespace or run.start.request.namespace,
            started["promise_id"],
            started["run_id"],
            command.parent_close_policy,
            command.cancellation_type,
        )
        yield from self._follow(child)

    def _start_of(self, command: Any) -> WorkflowStart:
        run = self._run
        request = StartWorkflowExecutionRequest(
            namespace=command.namespace or run.start.request.namespace,
            workflow_id=command.workflow_id,
            cron_schedule=command.cron_schedule,
            workflow_id_reuse_policy=command.workflow_id_reuse_policy,
        )
        request.workflow_type.name = command.workflow_type
        request.task_queue.name = command.task_queue or run.host.task_queue
        for name in _COPIED:
            if has(command, name):
                getattr(request, name).CopyFrom(getattr(command, name))
        attributes = attributes_of(command)
        if attributes is not None:
            request.search_attributes.CopyFrom(attributes)
        for key, value in command.headers.items():
            request.header.fields[key].CopyFrom(value)
        for key, value in command.memo.items():
            request.memo.fields[key].CopyFrom(value)
        me = {"workflow_id": run.workflow_id, "run_id": run.run_id, "namespace": run.start.request.namespace}
        return WorkflowStart(request, parent=me, root=run.start.root or me)

    def _follow(self, child: Child) -> Doing:
        run = self._run
        self._open[child.seq] = child
        promise = yield run.drive.follow(child.promise_id)

        def ended(value: Any, error: BaseException | None) -> list[activations.WorkflowActivationJob]:
            self._open.pop(child.seq, None)
            failure = None if error is None else child.wrapped(*_seen(error))
            return [activations.resolve_child(child.seq, value, failure)]

        run.waiting[promise.id] = (promise, ended)
        run.local_jobs.append(activations.child_started(child.seq, child.run_id))

    # -- ending --------------------------------------------------------------------------------------------------

    def cancel(self, command: Any) -> Doing:
        """Cancel a child as its cancellation type says."""
        child = self._open.get(command.child_workflow_seq)
        if child is None:
            return
        kind = child.cancellation_type
        if kind != ChildWorkflowCancellationType.ABANDON:
            reason = command.reason or "Parent workflow requested cancel"
            yield from self._request_cancel(child, reason)
        if kind != ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED:
            self._forget(child)
            failure = child.wrapped(failures.canceled("Cancelled"), RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE)
            self._run.local_jobs.append(activations.resolve_child(child.seq, None, failure))

    def _request_cancel(self, child: Child, reason: str) -> Doing:
        message = {"kind": "cancel", "args": [reason]}
        yield from self._run.commands.post(child.promise_id, message)

    def _forget(self, child: Child) -> None:
        """Do not wait for a child any more; when the run ends, its policy still counts."""
        self._unfollowed.append(self._open.pop(child.seq))
        self._run.waiting.pop(child.promise_id, None)

    def close(self) -> Doing:
        """The run has ended: terminate, cancel or leave its children."""
        for child in [*self._open.values(), *self._unfollowed]:
            if child.policy == ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL:
                yield from self._request_cancel(child, "by parent close policy")
            elif child.policy != ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON:
                yield self._run.drive.settle(child.promise_id, error=failures.terminated("by parent close policy"))


def _seen(error: BaseException) -> tuple[Failure, RetryState.ValueType]:
    """Return what a parent sees of how its child ended: (cause, retry state)."""
    status = failures.details_of(error).get("status")
    if isinstance(error, TimedOutError) or status == "TIMED_OUT":
        kind = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
        return failures.timeout(kind, "Timed out"), RetryState.RETRY_STATE_TIMEOUT
    cause = failures.failure_of(error)
    if cause.HasField("canceled_failure_info"):
        cause.message = "Cancelled"
        return cause, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
    if cause.HasField("terminated_failure_info"):
        cause.message = "Terminated"
        return cause, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
    state = failures.details_of(error).get("retry_state", RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET)
    return cause, state
