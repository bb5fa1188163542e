"""How a run ends: with a result, a failure, a cancellation, a time limit, or a next run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import RetryState

from compat.temporal import cron, failures
from compat.temporal.fields import attributes_of, has, knows
from compat.temporal.payloads import all_to_stored, to_stored
from compat.temporal.retries import decide
from compat.temporal.starts import START_ARGUMENT, WorkflowStart
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Generator

    from temporalio.api.failure.v1 import Failure

    from compat.temporal.workflow_driver import WorkflowRun


@dataclass
class Ending:
    """What a run's last completion said.

    Attributes:
        status: as Temporal names it: COMPLETED, FAILED, CANCELED, TIMED_OUT, CONTINUED_AS_NEW.
        result: stored result.
        failure: of a run that did not complete.
        command: the command that continues as new.
    """

    status: str
    result: Any = None
    failure: Failure | None = None
    command: Any = None
    retry_state: int = int(RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET)

    def carry_out(self, run: WorkflowRun) -> Generator[Any, Any, Any]:
        """End the run: return what is stored, raise it, or begin the next one."""
        if self.status == "CONTINUED_AS_NEW":
            yield from _continue(run, self.command)
        yield from run.commands.terminate_open()
        yield from self._retry(run)
        if run.start.request.cron_schedule and self.status in ("COMPLETED", "FAILED", "TIMED_OUT"):
            yield from _next_tick(run, self)
        if self.failure is None:
            return self.result
        raise failures.error_of(self.failure, status=self.status, retry_state=self.retry_state)

    def _retry(self, run: WorkflowRun) -> Generator[Any, Any, None]:
        request = run.start.request
        if self.failure is None or self.status == "CANCELED" or not request.HasField("retry_policy"):
            return
        delay, state = decide(request.retry_policy, attempt=run.start.attempt, failure=self.failure)
        if delay is None:
            self.retry_state = int(state)
            return
        assert state == RetryState.RETRY_STATE_IN_PROGRESS
        if delay:
            yield run.ctx.sleep(delay)
        following = _following(run)
        following.attempt = run.start.attempt + 1
        following.last_failure = failures.to_dict(self.failure)
        yield run.ctx.continue_as_new(*run.arguments, **{START_ARGUMENT: following.to_dict()})


def ending_of(kind: str, command: Any) -> Ending | None:
    """Return the ending that a command means, None for commands that end nothing."""
    if kind == "complete_workflow_execution":
        return Ending("COMPLETED", result=to_stored(command.result) if command.HasField("result") else None)
    if kind == "fail_workflow_execution":
        return Ending("FAILED", failure=command.failure)
    if kind == "cancel_workflow_execution":
        failure = failures.canceled("Workflow cancelled")
        if knows(command, "details"):
            failure.canceled_failure_info.details.CopyFrom(command.details)
        return Ending("CANCELED", failure=failure)
    if kind == "continue_as_new_workflow_execution":
        return Ending("CONTINUED_AS_NEW", command=command)
    return None


def _following(run: WorkflowRun) -> WorkflowStart:
    """Return the start of the run after this one, with nothing changed."""
    following = WorkflowStart.from_dict(run.start.to_dict())
    following.message = None
    following.attempt = 1
    following.continued_run_id = run.run_id
    following.first_run_id = run.start.first_run_id or run.run_id
    following.request.ClearField("workflow_start_delay")
    return following


def _take_over(request: Any, command: Any) -> None:
    """Change what the command that continues as new names; the rest stays as the last run had it."""
    for name in ("workflow_run_timeout", "workflow_task_timeout", "retry_policy"):
        if command.HasField(name):
            getattr(request, name).CopyFrom(getattr(command, name))
    attributes = attributes_of(command)
    if attributes is not None:
        request.search_attributes.CopyFrom(attributes)
    if has(command, "backoff_start_interval"):
        request.workflow_start_delay.CopyFrom(command.backoff_start_interval)


def _continue(run: WorkflowRun, command: Any) -> Generator[Any, Any, None]:
    queue = command.task_queue
    if queue and queue != run.host.task_queue:
        raise UnsupportedFeatureError(
            f"continue_as_new on another task queue ({queue!r})", "start a workflow there and end this one"
        )
    following = _following(run)
    request = following.request
    if command.workflow_type:
        request.workflow_type.name = command.workflow_type
    _take_over(request, command)
    if command.memo:
        request.memo.fields.clear()
        for key, value in command.memo.items():
            request.memo.fields[key].CopyFrom(value)
    if command.headers:
        request.header.fields.clear()
        for key, value in command.headers.items():
            request.header.fields[key].CopyFrom(value)
    yield run.ctx.continue_as_new(*all_to_stored(command.arguments), **{START_ARGUMENT: following.to_dict()})


def _next_tick(run: WorkflowRun, ending: Ending) -> Generator[Any, Any, None]:
    """A cron workflow has a next run, with what this one gave."""
    delay = cron.seconds_until_next(run.start.request.cron_schedule, run.ctx.now())
    yield run.ctx.sleep(delay)
    following = _following(run)
    if ending.failure is None:
        following.last_result = [ending.result]
    else:
        following.last_failure = failures.to_dict(ending.failure)
    yield run.ctx.continue_as_new(*run.arguments, **{START_ARGUMENT: following.to_dict()})
