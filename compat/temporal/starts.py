"""What a workflow or activity is started with beyond its arguments, and the tags that carry it.

Arguments stand in the promise as plain JSON, readable by every SDK. Everything that only Temporal has (headers, memo,
search attributes, timeouts of runs, parents) stands in one tag beside them, as Temporal's own request in JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

TAG_KIND: Final = "temporal:kind"
TAG_TYPE: Final = "temporal:type"
TAG_QUEUE: Final = "temporal:queue"
TAG_START: Final = "temporal:start"
TAG_WORKFLOW: Final = "temporal:workflow"
TAG_ACTIVITY: Final = "temporal:activity-id"

#: Name under which drivers find their worker.
HOST_DEPENDENCY: Final = "temporal:host"

#: Keyword argument that carries a ``WorkflowStart`` through continue-as-new.
START_ARGUMENT: Final = "temporal_start"

#: What stands for "no limit" on a promise, which must have one.
FOREVER_S: Final = 10 * 365 * 86_400.0


def message_to_dict(message: Message) -> dict[str, Any]:
    """Return a message as JSON, with the names of its definition."""
    plain: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return plain


@dataclass
class WorkflowStart:
    """One run of a workflow as asked for.

    Attributes:
        request: Temporal's request without the input.
        parent: ``workflow_id``, ``run_id`` and ``namespace`` of the parent, empty at the root.
        root: the same of the first workflow of the tree.
        message: signal or update that arrives with the start, as it would stand in the inbox.
        attempt: 1, and one more for every retry of the workflow.
        continued_run_id: run before this one.
        first_run_id: run that the chain began with.
        last_result: stored result of the run before, of a cron workflow or of a schedule.
        last_failure: failure of the run before.
    """

    request: StartWorkflowExecutionRequest
    parent: dict[str, str] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)
    message: dict[str, Any] | None = None
    attempt: int = 1
    continued_run_id: str = ""
    first_run_id: str = ""
    last_result: list[Any] | None = None
    last_failure: dict[str, Any] | None = None
    started_ms: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return what is stored; what is empty is left out."""
        request = StartWorkflowExecutionRequest()
        request.CopyFrom(self.request)
        request.ClearField("input")
        plain = {key: value for key, value in vars(self).items() if value and key != "request"}
        return {**plain, "request": message_to_dict(request)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> WorkflowStart:
        """Return what was stored."""
        request = ParseDict(plain["request"], StartWorkflowExecutionRequest(), ignore_unknown_fields=True)
        rest = {key: value for key, value in plain.items() if key in cls.__dataclass_fields__ and key != "request"}
        return cls(request, **rest)

    def tags(self) -> dict[str, str]:
        """Return the tags of the promise."""
        return {
            TAG_KIND: "workflow",
            TAG_TYPE: self.request.workflow_type.name,
            TAG_QUEUE: self.request.task_queue.name,
            TAG_WORKFLOW: self.request.workflow_id,
            TAG_START: json.dumps(self.to_dict(), separators=(",", ":")),
        }

    @property
    def execution_timeout_s(self) -> float:
        """Limit of the whole chain of runs."""
        seconds: float = self.request.workflow_execution_timeout.ToTimedelta().total_seconds()
        return seconds or FOREVER_S


def start_of(tags: Mapping[str, str], *, workflow_id: str, workflow_type: str, task_queue: str) -> WorkflowStart:
    """Return the start that tags carry; one that plain Resonate code made has none of Temporal's."""
    if TAG_START in tags:
        return WorkflowStart.from_dict(json.loads(tags[TAG_START]))
    request = StartWorkflowExecutionRequest(workflow_id=workflow_id, namespace="default")
    request.workflow_type.name = workflow_type
    request.task_queue.name = task_queue
    return WorkflowStart(request)
