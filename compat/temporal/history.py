"""The history of a run in Temporal's events, told by replaying the run in memory.

Nothing of it is stored: what the driver's instance is told and what it wants *is* the history. Events come in
Temporal's order: what happened, the workflow task that took it up, the commands that this task led to. A local activity
is a marker behind the task in which it ran, an update an event of the task that accepted it. What only tells an
instance of something that it has asked for itself, such as a cancelled activity it does not wait for, is no event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from temporalio.api.enums.v1 import EventType, TaskQueueKind, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from compat.temporal.fields import assign, knows
from compat.temporal.history_commands import COMMAND_EVENTS
from compat.temporal.history_jobs import JOB_EVENTS
from compat.temporal.payloads import all_from_stored

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob

    from compat.temporal.workflow_driver import WorkflowRun

#: Flag of the core under which activities and children are compared by id and type when a history is replayed.
_CORE_FLAGS: Final = (1,)
_FIRST_TASK_ID: Final = 1_048_576
#: Fields of a start that stand under the same name in the first event.
_STARTED_FIELDS: Final = (
    "workflow_type",
    "task_queue",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "memo",
    "search_attributes",
    "header",
    "priority",
)
#: Jobs that say nothing new: what they tell was an event before, or is none.
_SILENT: Final = frozenset(("initialize_workflow", "notify_has_patch", "query_workflow", "do_update"))


class HistoryWriter:
    """Writes the events of one run while it is replayed."""

    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []
        self.updates: dict[str, Any] = {}
        self.numbers: dict[tuple[str, Any], int] = {}
        self.about: dict[tuple[str, Any], Any] = {}
        self.task_id = 0
        self.identity = ""
        self.task_queue = ""
        self._now: datetime | None = None
        self._activation_index = 0

    # -- one event -----------------------------------------------------------------------------------------------

    def add(self, name: str) -> Any:
        """Append an event and return its attributes."""
        number = len(self.events) + 1
        event = HistoryEvent(event_id=number, event_type=EventType.Value(f"EVENT_TYPE_{name}"))
        event.task_id = _FIRST_TASK_ID + number
        if self._now is not None:
            event.event_time.FromDatetime(self._now)
        self.events.append(event)
        attributes = getattr(event, f"{name.lower()}_event_attributes")
        attributes.SetInParent()
        assign(attributes, "workflow_task_completed_event_id", self.task_id)
        return attributes

    @property
    def timestamp(self) -> dict[str, int]:
        """The time of what is written now, as markers have it."""
        now = self.events[-1].event_time
        return {"seconds": now.seconds, "nanos": now.nanos}

    def next_activation_index(self) -> int:
        """Count the activations within the workflow task that ran last."""
        self._activation_index += 1
        return self._activation_index

    def remember(self, kind: str, seq: Any, about: Any = None) -> None:
        """Keep the number of the newest event, and facts for events that refer to it."""
        self.numbers[kind, seq] = len(self.events)
        if about is not None:
            self.about[kind, seq] = about

    # -- what the driver tells -----------------------------------------------------------------------------------

    def begin(self, run: WorkflowRun, now: datetime) -> None:
        """Write how the run began."""
        self._now, self.identity = now, run.host.identity
        start, request = run.start, run.start.request
        self.task_queue = request.task_queue.name or run.host.task_queue
        attributes = self.add("WORKFLOW_EXECUTION_STARTED")
        for name in _STARTED_FIELDS:
            if request.HasField(name):
                getattr(attributes, name).CopyFrom(getattr(request, name))
        attributes.workflow_task_timeout.seconds = request.workflow_task_timeout.seconds or 10
        attributes.input.payloads.extend(all_from_stored(run.arguments))
        attributes.identity = request.identity
        attributes.attempt = start.attempt
        attributes.cron_schedule = request.cron_schedule
        attributes.original_execution_run_id = run.run_id
        attributes.first_execution_run_id = start.first_run_id or run.run_id
        attributes.continued_execution_run_id = start.continued_run_id
        assign(attributes, "workflow_id", run.workflow_id)
        if request.HasField("workflow_start_delay"):
            attributes.first_workflow_task_backoff.CopyFrom(request.workflow_start_delay)
        if start.parent:
            attributes.parent_workflow_namespace = start.parent["namespace"]
            attributes.parent_workflow_execution.workflow_id = start.parent["workflow_id"]
            attributes.parent_workflow_execution.run_id = start.parent["run_id"]
        if start.last_result is not None:
            attributes.last_completion_result.payloads.extend(all_from_stored(start.last_result))

    def activated(
        self, jobs: Iterable[WorkflowActivationJob], completion: WorkflowActivationCompletion, now: datetime
    ) -> None:
        """Write one activation: what it told, the workflow task, and what the instance wanted."""
        self._now = now
        told: list[tuple[str, Any]] = [(job.WhichOneof("variant") or "", job) for job in jobs]
        if all(kind == "query_workflow" for kind, _ in told):
            return
        known = []
        for kind, job in told:
            events_before = len(self.events)
            if kind == "do_update":
                self.updates[job.do_update.protocol_instance_id] = job.do_update
            elif kind not in _SILENT:
                JOB_EVENTS[kind](self, getattr(job, kind))
            known.append(len(self.events) == events_before)
        if completion.HasField("failed"):
            self._task_failed(completion)
            return
        commands = list(completion.successful.commands)
        if any(map(_wakes, told, known)) and not _is_only_rejected(told, commands):
            self._task_completed(completion)
        for command in commands:
            variant = command.WhichOneof("variant") or ""
            write = COMMAND_EVENTS.get(variant)
            if write is not None:
                write(self, getattr(command, variant))

    def end_badly(self, message: str) -> None:
        """Write that the code does not fit the records, unless the last task has failed of itself."""
        if self.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            return
        completion = WorkflowActivationCompletion()
        completion.failed.failure.message = message
        if knows(completion.failed, "force_cause"):
            completion.failed.force_cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
        self._task_failed(completion)

    # -- workflow tasks --------------------------------------------------------------------------------------------

    def _task_begun(self) -> int:
        scheduled = self.add("WORKFLOW_TASK_SCHEDULED")
        scheduled.task_queue.name = self.task_queue
        scheduled.task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_NORMAL
        scheduled.start_to_close_timeout.seconds = 10
        scheduled.attempt = 1
        number = len(self.events)
        started = self.add("WORKFLOW_TASK_STARTED")
        started.scheduled_event_id = number
        started.identity = self.identity
        started.request_id = f"task-{number}"
        started.history_size_bytes = number * 200
        return number

    def _task_completed(self, completion: WorkflowActivationCompletion) -> None:
        scheduled = self._task_begun()
        is_first = self.task_id == 0
        attributes = self.add("WORKFLOW_TASK_COMPLETED")
        attributes.scheduled_event_id = scheduled
        attributes.started_event_id = scheduled + 1
        attributes.identity = self.identity
        attributes.sdk_metadata.lang_used_flags.extend(completion.successful.used_internal_flags)
        if is_first:
            attributes.sdk_metadata.core_used_flags.extend(_CORE_FLAGS)
            if 1 not in attributes.sdk_metadata.lang_used_flags:
                attributes.sdk_metadata.lang_used_flags.append(1)
        self.task_id = len(self.events)
        self._activation_index = 0

    def _task_failed(self, completion: WorkflowActivationCompletion) -> None:
        scheduled = self._task_begun()
        attributes = self.add("WORKFLOW_TASK_FAILED")
        attributes.scheduled_event_id = scheduled
        attributes.started_event_id = scheduled + 1
        attributes.identity = self.identity
        unhandled = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
        forced = completion.failed.force_cause if knows(completion.failed, "force_cause") else 0
        attributes.cause = forced or unhandled
        attributes.failure.CopyFrom(completion.failed.failure)


def _wakes(told: tuple[str, Any], is_known: bool) -> bool:
    """Whether something is taken up by a workflow task of its own, not by the one that runs or ran last."""
    kind, job = told
    if kind in _SILENT:
        return kind != "query_workflow"
    return not is_known and not (kind == "resolve_activity" and job.resolve_activity.is_local)


def _is_only_rejected(told: list[tuple[str, Any]], commands: list[Any]) -> bool:
    """Whether a task was about rejected updates alone: Temporal forgets such a task."""
    return all(kind == "do_update" for kind, _ in told) and all(
        command.HasField("update_response") and command.update_response.HasField("rejected") for command in commands
    )
