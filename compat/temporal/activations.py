"""Activations: what a workflow instance is told, built from starts, messages and settled promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob as WorkflowActivationJob  # noqa: PLC0414

from compat.temporal import failures, ids
from compat.temporal.fields import assign
from compat.temporal.payloads import all_from_stored, from_stored, map_from_stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from temporalio.api.failure.v1 import Failure

    from compat.temporal.starts import WorkflowStart


def initialize(start: WorkflowStart, arguments: Sequence[Any], run_id: str, began: datetime) -> WorkflowActivationJob:
    """Return the job that begins a run."""
    job = WorkflowActivationJob()
    init, request = job.initialize_workflow, start.request
    init.workflow_type = request.workflow_type.name
    init.workflow_id = request.workflow_id
    init.arguments.extend(all_from_stored(arguments))
    init.randomness_seed = ids.randomness_seed(run_id)
    init.identity = request.identity
    init.attempt = start.attempt
    init.cron_schedule = request.cron_schedule
    init.continued_from_execution_run_id = start.continued_run_id
    init.first_execution_run_id = start.first_run_id or run_id
    assign(init, "original_execution_run_id", run_id)
    init.start_time.FromDatetime(began)
    init.workflow_task_timeout.seconds = request.workflow_task_timeout.seconds or 10
    for key, value in request.header.fields.items():
        init.headers[key].CopyFrom(value)
    for name in ("workflow_execution_timeout", "workflow_run_timeout", "retry_policy", "memo", "search_attributes"):
        if request.HasField(name):
            getattr(init, name).CopyFrom(getattr(request, name))
    if request.HasField("priority"):
        init.priority.CopyFrom(request.priority)
    if start.parent:
        ParseDict(start.parent, init.parent_workflow_info)
    if start.root:
        ParseDict({key: start.root[key] for key in ("workflow_id", "run_id")}, init.root_workflow)
    if start.last_result is not None:
        init.last_completion_result.payloads.extend(all_from_stored(start.last_result))
    if start.last_failure is not None:
        init.continued_failure.CopyFrom(failures.from_dict(start.last_failure))
    return job


def signal(
    name: str, args: Sequence[Any], *, headers: dict[str, Any], identity: str, event_id: int
) -> WorkflowActivationJob:
    """Return the job of a signal."""
    job = WorkflowActivationJob()
    job.signal_workflow.signal_name = name
    job.signal_workflow.input.extend(all_from_stored(args))
    job.signal_workflow.identity = identity
    assign(job.signal_workflow, "originating_event_id", event_id)
    for key, value in map_from_stored(headers).items():
        job.signal_workflow.headers[key].CopyFrom(value)
    return job


def query(query_id: str, name: str, args: Sequence[Any], headers: dict[str, Any]) -> WorkflowActivationJob:
    """Return the job of a query."""
    job = WorkflowActivationJob()
    job.query_workflow.query_id = query_id
    job.query_workflow.query_type = name
    job.query_workflow.arguments.extend(all_from_stored(args))
    for key, value in map_from_stored(headers).items():
        job.query_workflow.headers[key].CopyFrom(value)
    return job


def update(
    update_id: str, protocol_id: str, name: str, args: Sequence[Any], *, headers: dict[str, Any], identity: str,
    run_validator: bool,
) -> WorkflowActivationJob:  # fmt: skip
    """Return the job of an update."""
    job = WorkflowActivationJob()
    job.do_update.id = update_id
    job.do_update.protocol_instance_id = protocol_id
    job.do_update.name = name
    job.do_update.input.extend(all_from_stored(args))
    job.do_update.meta.update_id = update_id
    job.do_update.meta.identity = identity
    job.do_update.run_validator = run_validator
    for key, value in map_from_stored(headers).items():
        job.do_update.headers[key].CopyFrom(value)
    return job


def cancel(reason: str) -> WorkflowActivationJob:
    """Return the job of a cancellation."""
    job = WorkflowActivationJob()
    job.cancel_workflow.reason = reason
    return job


def fire_timer(seq: int) -> WorkflowActivationJob:
    """Return the job of a timer."""
    job = WorkflowActivationJob()
    job.fire_timer.seq = seq
    return job


def resolve_activity(
    seq: int, result: Any, failure: Failure | None, *, is_local: bool = False
) -> WorkflowActivationJob:
    """Return the job of an activity that ended: with a stored result, or with a failure."""
    job = WorkflowActivationJob()
    job.resolve_activity.seq = seq
    job.resolve_activity.is_local = is_local
    resolution = job.resolve_activity.result
    if failure is None:
        resolution.completed.result.CopyFrom(from_stored(result))
    elif failure.cause.HasField("canceled_failure_info"):
        resolution.cancelled.failure.CopyFrom(failure)
    else:
        resolution.failed.failure.CopyFrom(failure)
    return job


def child_started(seq: int, run_id: str) -> WorkflowActivationJob:
    """Return the job of a child that runs."""
    job = WorkflowActivationJob()
    job.resolve_child_workflow_execution_start.seq = seq
    job.resolve_child_workflow_execution_start.succeeded.run_id = run_id
    return job


def resolve_child(seq: int, result: Any, failure: Failure | None) -> WorkflowActivationJob:
    """Return the job of a child that ended."""
    job = WorkflowActivationJob()
    resolution = job.resolve_child_workflow_execution
    resolution.seq = seq
    if failure is None:
        resolution.result.completed.result.CopyFrom(from_stored(result))
    elif failure.cause.HasField("canceled_failure_info"):
        resolution.result.cancelled.failure.CopyFrom(failure)
    else:
        resolution.result.failed.failure.CopyFrom(failure)
    return job


def patch_known(patch_id: str) -> WorkflowActivationJob:
    """Return the job that says that this run took a patch."""
    job = WorkflowActivationJob()
    job.notify_has_patch.patch_id = patch_id
    return job


def eviction(run_id: str) -> WorkflowActivation:
    """Return the activation that tears an instance down."""
    activation = WorkflowActivation(run_id=run_id)
    activation.jobs.add().remove_from_cache.message = "the execution leaves this process"
    return activation
