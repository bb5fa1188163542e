"""What an activity is called with beyond its arguments: limits, retry policy, headers, whose it is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict
from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1 import RetryState, TimeoutType

from compat.temporal import failures
from compat.temporal.payloads import map_to_stored
from compat.temporal.starts import TAG_ACTIVITY, TAG_KIND, TAG_TYPE, TAG_WORKFLOW, message_to_dict
from resonate_core import TimedOutError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from temporalio.api.failure.v1 import Failure

    from compat.temporal.workflow_driver import WorkflowRun

TAG_SCHEDULE = "temporal:schedule"
TAG_OWNER = "temporal:owner"
TAG_RUN = "temporal:run"
#: Published by an activity that must start in time.
STARTED_EVENT = "temporal:started"
LATE_TEXT = "activity ScheduleToStart timeout"


@dataclass(frozen=True)
class ActivityMeta:
    """One activity as its workflow scheduled it; limits are seconds, 0 for none."""

    activity_id: str
    activity_type: str
    workflow_id: str
    run_id: str
    workflow_type: str
    namespace: str
    schedule_to_close: float = 0
    schedule_to_start: float = 0
    start_to_close: float = 0
    heartbeat: float = 0
    retry: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    cancellation_type: int = 0
    is_local: bool = False
    owner: str = ""
    priority: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, command: Any, run: WorkflowRun, *, is_local: bool = False) -> ActivityMeta:
        """Return the meta data of a command."""

        def seconds(name: str) -> float:
            value: float = getattr(command, name).ToTimedelta().total_seconds()
            return value

        return cls(
            activity_id=command.activity_id or str(command.seq),
            activity_type=command.activity_type,
            workflow_id=run.workflow_id,
            run_id=run.run_id,
            workflow_type=run.start.request.workflow_type.name,
            namespace=run.start.request.namespace,
            schedule_to_close=seconds("schedule_to_close_timeout"),
            schedule_to_start=seconds("schedule_to_start_timeout"),
            start_to_close=seconds("start_to_close_timeout"),
            heartbeat=0 if is_local else seconds("heartbeat_timeout"),
            retry=message_to_dict(command.retry_policy),
            headers=map_to_stored(command.headers),
            cancellation_type=command.cancellation_type,
            is_local=is_local,
            owner=run.promise_id,
            priority={} if is_local else message_to_dict(command.priority),
        )

    @classmethod
    def from_tags(cls, tags: Mapping[str, str], activity_type: str, activity_id: str) -> ActivityMeta:
        """Return what a promise's tags say; an activity that plain Resonate code called has defaults."""
        if TAG_SCHEDULE in tags:
            return cls(**json.loads(tags[TAG_SCHEDULE]))
        return cls(activity_id, activity_type, "", "", "", "default")

    def tags(self) -> dict[str, str]:
        """Return the tags of the activity's promise."""
        plain = {key: value for key, value in vars(self).items() if value}
        return {
            TAG_KIND: "activity",
            TAG_TYPE: self.activity_type,
            TAG_WORKFLOW: self.workflow_id,
            TAG_RUN: self.run_id,
            TAG_ACTIVITY: self.activity_id,
            TAG_OWNER: self.owner,
            TAG_SCHEDULE: json.dumps(plain, separators=(",", ":")),
        }

    @property
    def retry_policy(self) -> RetryPolicy:
        """Temporal's retry policy."""
        return ParseDict(self.retry, RetryPolicy(), ignore_unknown_fields=True)

    def wrapped(self, cause: Failure, state: RetryState.ValueType, identity: str = "") -> Failure:
        """Return a failure as the workflow sees it."""
        return failures.of_activity(
            cause, activity_id=self.activity_id, activity_type=self.activity_type, retry_state=state, identity=identity
        )

    def failure_of(self, error: BaseException) -> Failure:
        """Return what the workflow sees of how the activity's promise was rejected."""
        details = failures.details_of(error)
        state = details.get("retry_state", RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE)
        if isinstance(error, TimedOutError):
            state = RetryState.RETRY_STATE_TIMEOUT
            cause = failures.timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, "activity ScheduleToClose timeout")
            return self.wrapped(cause, state)
        return self.wrapped(failures.failure_of(error), state, details.get("identity", ""))
