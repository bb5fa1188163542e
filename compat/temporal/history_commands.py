"""From commands of a workflow to the events that Temporal writes for them, one function per command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_commands import ActivityCancellationType

from compat.temporal.fields import attributes_of, knows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.temporal.history import HistoryWriter

#: Name of the marker of a patch, and of the detail in it.
PATCH_MARKER: Final = "core_patch"
PATCH_DETAIL: Final = "patch-data"
_ACTIVITY_FIELDS: Final = (
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "heartbeat_timeout",
    "retry_policy",
    "priority",
)
_CHILD_FIELDS: Final = (
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "priority",
)


def json_payload(value: Any) -> Payload:
    """Return a payload of the core's own."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def _copy(source: Any, target: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if knows(source, name) and knows(target, name) and source.HasField(name):
            getattr(target, name).CopyFrom(getattr(source, name))


def _copy_attributes(command: Any, target: Any) -> None:
    named = attributes_of(command)
    if named is not None:
        target.search_attributes.CopyFrom(named)


def _copy_map(source: Mapping[str, Payload], target: Any) -> None:
    for key, value in source.items():
        target[key].CopyFrom(value)


def _start_timer(history: HistoryWriter, command: Any) -> None:
    attributes = history.add("TIMER_STARTED")
    attributes.timer_id = str(command.seq)
    attributes.start_to_fire_timeout.CopyFrom(command.start_to_fire_timeout)
    history.remember("timer", command.seq)


def _cancel_timer(history: HistoryWriter, command: Any) -> None:
    attributes = history.add("TIMER_CANCELED")
    attributes.timer_id = str(command.seq)
    attributes.started_event_id = history.numbers.get(("timer", command.seq), 0)
    attributes.identity = history.identity


def _schedule_activity(history: HistoryWriter, command: Any) -> None:
    attributes = history.add("ACTIVITY_TASK_SCHEDULED")
    attributes.activity_id = command.activity_id or str(command.seq)
    attributes.activity_type.name = command.activity_type
    attributes.task_queue.name = command.task_queue or history.task_queue
    attributes.input.payloads.extend(command.arguments)
    _copy_map(command.headers, attributes.header.fields)
    _copy(command, attributes, _ACTIVITY_FIELDS)
    history.remember("activity", command.seq, command)


def _cancel_activity(history: HistoryWriter, command: Any) -> None:
    scheduled = history.about.get(("activity", command.seq))
    if scheduled is None or scheduled.cancellation_type == ActivityCancellationType.ABANDON:
        return
    history.add("ACTIVITY_TASK_CANCEL_REQUESTED").scheduled_event_id = history.numbers["activity", command.seq]
    history.remember("activity-cancel", command.seq)


def _schedule_local_activity(history: HistoryWriter, command: Any) -> None:
    history.about["local", command.seq] = command


def _start_child(history: HistoryWriter, command: Any) -> None:
    attributes = history.add("START_CHILD_WORKFLOW_EXECUTION_INITIATED")
    attributes.namespace = command.namespace
    attributes.workflow_id = command.workflow_id
    attributes.workflow_type.name = command.workflow_type
    attributes.task_queue.name = command.task_queue or history.task_queue
    attributes.input.payloads.extend(command.input)
    attributes.parent_close_policy = command.parent_close_policy
    attributes.workflow_id_reuse_policy = command.workflow_id_reuse_policy
    attributes.cron_schedule = command.cron_schedule
    _copy_map(command.headers, attributes.header.fields)
    _copy_map(command.memo, attributes.memo.fields)
    _copy(command, attributes, _CHILD_FIELDS)
    _copy_attributes(command, attributes)
    history.remember("child", command.seq, command)


def _cancel_child(history: HistoryWriter, command: Any) -> None:
    child = history.about.get(("child", command.child_workflow_seq))
    if child is None:
        return
    attributes = history.add("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED")
    attributes.namespace = child.namespace
    attributes.workflow_execution.workflow_id = child.workflow_id
    attributes.child_workflow_only = True


def _signal_external(history: HistoryWriter, command: Any) -> None:
    attributes = history.add("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED")
    target = command.workflow_execution
    attributes.namespace = target.namespace
    attributes.workflow_execution.workflow_id = command.child_workflow_id or target.workflow_id
    attributes.workflow_execution.run_id = target.run_id
    attributes.child_workflow_only = bool(command.child_workflow_id)
    attributes.signal_name = command.signal_name
    attributes.input.payloads.extend(command.args)
    _copy_map(command.headers, attributes.header.fields)
    history.remember("signal", command.seq, attributes)


def _cancel_external(history: HistoryWriter, command: Any) -> None:
    attributes = history.add("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED")
    target = command.workflow_execution
    attributes.namespace = target.namespace
    attributes.workflow_execution.workflow_id = target.workflow_id
    attributes.workflow_execution.run_id = target.run_id
    attributes.reason = command.reason
    history.remember("cancel", command.seq, attributes)


def _patch(history: HistoryWriter, command: Any) -> None:
    if ("patch", command.patch_id) in history.numbers:
        return
    attributes = history.add("MARKER_RECORDED")
    attributes.marker_name = PATCH_MARKER
    found = {"id": command.patch_id, "deprecated": command.deprecated}
    attributes.details[PATCH_DETAIL].payloads.append(json_payload(found))
    history.remember("patch", command.patch_id)


def _search_attributes(history: HistoryWriter, command: Any) -> None:
    attributes = history.add("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")
    _copy_attributes(command, attributes)


def _properties(history: HistoryWriter, command: Any) -> None:
    history.add("WORKFLOW_PROPERTIES_MODIFIED").upserted_memo.CopyFrom(command.upserted_memo)


def _update(history: HistoryWriter, command: Any) -> None:
    protocol_id = command.protocol_instance_id
    update = history.updates.get(protocol_id)
    if update is None or command.HasField("rejected"):
        return
    if command.HasField("accepted"):
        _accept(history, update)
        return
    attributes = history.add("WORKFLOW_EXECUTION_UPDATE_COMPLETED")
    attributes.meta.update_id = update.id
    attributes.meta.identity = update.meta.identity
    attributes.accepted_event_id = history.numbers.get(("update", protocol_id), 0)
    if command.HasField("completed"):
        attributes.outcome.success.payloads.append(command.completed)


def _accept(history: HistoryWriter, update: Any) -> None:
    attributes = history.add("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")
    attributes.protocol_instance_id = update.id
    attributes.accepted_request_message_id = f"{update.id}/request"
    attributes.accepted_request_sequencing_event_id = history.task_id - 2
    request = attributes.accepted_request
    request.meta.update_id = update.id
    request.meta.identity = update.meta.identity
    request.input.name = update.name
    request.input.args.payloads.extend(update.input)
    _copy_map(update.headers, request.input.header.fields)
    history.remember("update", update.protocol_instance_id)


#: Commands that leave an event; the others end the run, or leave none.
COMMAND_EVENTS: Final[Mapping[str, Callable[[HistoryWriter, Any], None]]] = {
    "start_timer": _start_timer,
    "cancel_timer": _cancel_timer,
    "schedule_activity": _schedule_activity,
    "request_cancel_activity": _cancel_activity,
    "schedule_local_activity": _schedule_local_activity,
    "start_child_workflow_execution": _start_child,
    "cancel_child_workflow_execution": _cancel_child,
    "signal_external_workflow_execution": _signal_external,
    "request_cancel_external_workflow_execution": _cancel_external,
    "set_patch_marker": _patch,
    "upsert_workflow_search_attributes": _search_attributes,
    "modify_workflow_properties": _properties,
    "update_response": _update,
}
