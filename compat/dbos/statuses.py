"""How workflows stand: ``WorkflowStatus``, read from the records of executions, one or many."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.error import DBOSNonExistentWorkflowError
from compat.dbos.functions import CLASS_KEY, INSTANCE_KEY
from resonate_core import DecodeError, ProtocolError, turn_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from resonate_core import DriverHost, PromiseRecord

#: On children: the workflow that started them.
TAG_PARENT: Final = "dbos:parent"
#: On workflows with a deadline: their children inherit it.
TAG_TIMEOUT: Final = "dbos:timeout"
#: On queued workflows: the seconds that they have from their turn on.
TAG_TURN_TIMEOUT: Final = "dbos:turn-timeout"
#: On runs of a schedule: its name.
TAG_SCHEDULE: Final = "dbos:schedule"
#: Who started it (``user``, ``roles``, ``assumed``), and what it is given beside its arguments; both JSON.
TAG_AUTH: Final = "dbos:auth"
TAG_ATTRIBUTES: Final = "dbos:attributes"
#: On what holds a debounced start back: the id and the name of the workflow.
TAG_DEBOUNCED: Final = "dbos:debounced"
TAG_DEBOUNCED_NAME: Final = "dbos:debounced-name"

#: On what a worker takes up by itself; a step inside an execution has none.
_TAG_TARGET: Final = "resonate:target"
_STATUS: Final = {
    "pending": "PENDING",
    "resolved": "SUCCESS",
    "rejected": "ERROR",
    "rejected_canceled": "CANCELLED",
    "rejected_timedout": "CANCELLED",
}


@dataclass
class WorkflowStatus:
    """A workflow as the store has it; times are milliseconds since the epoch. What nobody keeps here is None."""

    workflow_id: str
    status: str
    name: str
    created_at: int
    updated_at: int | None = None
    class_name: str | None = None
    config_name: str | None = None
    queue_name: str | None = None
    input: Any = None
    output: Any = None
    error: Exception | None = None
    parent_workflow_id: str | None = None
    priority: int = 0
    queue_partition_key: str | None = None
    deduplication_id: str | None = None
    delay_until_epoch_ms: int | None = None
    dequeued_at: int | None = None
    completed_at: int | None = None
    workflow_timeout_ms: int | None = None
    workflow_deadline_epoch_ms: int | None = None
    schedule_name: str | None = None
    forked_from: str | None = None
    was_forked_from: bool = False
    executor_id: str | None = None
    app_version: str | None = None
    app_id: str | None = None
    recovery_attempts: int | None = None
    authenticated_user: str | None = None
    assumed_role: str | None = None
    authenticated_roles: list[str] | None = None
    attributes: dict[str, Any] | None = None


class Statuses:
    """Reads statuses.

    Args:
        host: the client, from behind.
        workflow_name: gives DBOS's name of the function of a name, None for what is no workflow.
    """

    def __init__(self, host: DriverHost, workflow_name: Callable[[str], str | None]) -> None:
        self._host = host
        self._workflow_name = workflow_name

    def of(self, workflow_id: str) -> WorkflowStatus:
        """Say how a workflow stands.

        Raises:
            DBOSNonExistentWorkflowError: there is none of this id.
        """
        record = self._host.newest(workflow_id).result() or self.starter(workflow_id)
        if record is None:
            raise DBOSNonExistentWorkflowError(f"there is no workflow {workflow_id!r}")
        return self._read(record)

    def starter(self, workflow_id: str) -> PromiseRecord | None:
        """Return what holds a debounced workflow back; None too where the server cannot search."""
        with contextlib.suppress(ProtocolError):
            found = self._host.search(state="pending", tags={TAG_DEBOUNCED: workflow_id}).result()
            return next(iter(found), None)
        return None

    def list(
        self,
        *,
        wanted: Mapping[str, Sequence[str]],
        since: str | None = None,
        until: str | None = None,
        prefixes: tuple[str, ...] = ("",),
        has_parent: bool | None = None,
        newest_first: bool = False,
    ) -> list[WorkflowStatus]:
        """List workflows by creation.

        Args:
            wanted: attribute of a status -> values, one of which it must have.
            since: earliest creation, ISO text.
            until: latest creation.
            prefixes: of ids, one of which must fit.
            has_parent: whether a workflow has started them.
            newest_first: turns the order round.
        """
        records = self._host.search(tags={}).result()
        found = [self._read(one) for one in records if self._workflow_name(self._function(one)) is not None]
        kept = [
            one
            for one in found
            if all(getattr(one, name) in values for name, values in wanted.items())
            and one.workflow_id.startswith(prefixes)
            and (has_parent is None or (one.parent_workflow_id is not None) is has_parent)
            and (since is None or one.created_at >= _ms(since))
            and (until is None or one.created_at <= _ms(until))
        ]
        return sorted(kept, key=lambda one: one.created_at, reverse=newest_first)

    def _function(self, record: PromiseRecord) -> str:
        if record.state == "pending" and TAG_DEBOUNCED_NAME in record.tags:
            return record.tags[TAG_DEBOUNCED_NAME]
        is_step_inside = _TAG_TARGET not in record.tags
        return "" if is_step_inside else self._host.function_name(record) or ""

    def _read(self, record: PromiseRecord) -> WorkflowStatus:
        tags, settled = record.tags, record.settled_at
        found = WorkflowStatus(
            workflow_id=tags.get(TAG_DEBOUNCED) or self._host.id_of(record),
            status=_STATUS[record.state],
            name=self._workflow_name(self._function(record)) or self._function(record),
            created_at=record.created_at,
            updated_at=record.created_at if settled is None else settled,
            completed_at=settled,
            parent_workflow_id=_parent_of(record, self._host.id_of(record)),
            schedule_name=tags.get(TAG_SCHEDULE),
            attributes=json.loads(tags[TAG_ATTRIBUTES]) if TAG_ATTRIBUTES in tags else None,
        )
        _read_auth(found, tags)
        self._read_call(found, record)
        _read_limits(found, record)
        if found.status in ("SUCCESS", "ERROR"):
            found.output, error = self._host.outcome(record)
            found.error = error if isinstance(error, Exception) else None
        elif found.status == "PENDING":
            self._read_waiting(found, record)
        return found

    def _read_call(self, found: WorkflowStatus, record: PromiseRecord) -> None:
        if TAG_DEBOUNCED in record.tags:
            debounced = self._host.resonate.query(self._host.id_of(record), "state")
            found.input = {"args": tuple(debounced["args"]), "kwargs": debounced["kwargs"]}
            found.queue_name, found.delay_until_epoch_ms = debounced["queue"], round(debounced["until"] * 1000)
            return
        try:
            args, kwargs, extra = self._host.call(record)
        except DecodeError:
            return  # of another program, whose arguments only that can read
        instance, cls = kwargs.pop(INSTANCE_KEY, None), kwargs.pop(CLASS_KEY, None)
        found.class_name, found.config_name = (cls, None) if instance is None else instance
        found.input = {"args": args, "kwargs": kwargs}
        place = extra.get("queue")
        if place is not None:
            found.queue_name, found.queue_partition_key = place["name"], place["partition"]
            found.priority, found.deduplication_id = place["priority"], place.get("dedup")
        if extra.get("delay"):
            found.delay_until_epoch_ms = record.created_at + round(extra["delay"] * 1000)

    def _read_waiting(self, found: WorkflowStatus, record: PromiseRecord) -> None:
        """Tell what waits from what runs."""
        if TAG_DEBOUNCED in record.tags:
            found.status = "DELAYED"
        elif found.queue_name is not None:
            turn = self._host.get(turn_id(record.id)).result()
            if turn is None or turn.settled_at is None:
                is_late = (found.delay_until_epoch_ms or 0) <= self._host.now_ms()
                found.status = "ENQUEUED" if is_late else "DELAYED"
            else:
                found.dequeued_at = turn.settled_at


def _read_auth(found: WorkflowStatus, tags: Mapping[str, str]) -> None:
    auth = json.loads(tags.get(TAG_AUTH, "{}"))
    found.authenticated_user, found.assumed_role = auth.get("user"), auth.get("assumed")
    found.authenticated_roles = auth.get("roles")


def _read_limits(found: WorkflowStatus, record: PromiseRecord) -> None:
    seconds = record.tags.get(TAG_TIMEOUT) or record.tags.get(TAG_TURN_TIMEOUT)
    if seconds is not None:
        found.workflow_timeout_ms = round(float(seconds) * 1000)
    if TAG_TIMEOUT in record.tags:
        found.workflow_deadline_epoch_ms = record.timeout_at


def _parent_of(record: PromiseRecord, own: str) -> str | None:
    """Return the workflow that started one; a rewritten one has its child's by the runtime's own tag."""
    parent = record.tags.get("resonate:parent")
    return record.tags.get(TAG_PARENT) or (parent if parent not in (own, record.id) else None)


def _ms(time_text: str) -> float:
    return dt.datetime.fromisoformat(time_text).timestamp() * 1000
