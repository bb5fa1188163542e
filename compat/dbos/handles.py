"""Handles of workflows: from inside a workflow their results are recorded, from outside they are read."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from compat.dbos.context import workflow_here
from compat.dbos.error import DBOSAwaitedWorkflowCancelledError, DBOSNonExistentWorkflowError
from compat.unsupported import UnsupportedFeatureError
from resonate_core import CanceledError, NotFoundError, TimedOutError

if TYPE_CHECKING:
    from compat.dbos.body import Operation
    from compat.dbos.context import WorkflowPlace
    from compat.dbos.runtime import Runtime
    from resonate_core import Description

R = TypeVar("R")

_STATUS = {
    "pending": "PENDING",
    "resolved": "SUCCESS",
    "rejected": "ERROR",
    "rejected_canceled": "CANCELLED",
    "rejected_timedout": "CANCELLED",
}


@dataclasses.dataclass
class WorkflowStatus:
    """A workflow as the store has it; times are milliseconds since the epoch."""

    workflow_id: str
    status: str
    name: str
    created_at: int
    updated_at: int | None = None
    class_name: str | None = None
    config_name: str | None = None
    queue_name: str | None = None
    output: Any = None
    error: Exception | None = None
    parent_workflow_id: str | None = None
    delay_ms: int | None = None

    @property
    def input(self) -> NoReturn:
        """Refuse: what a workflow was called with is not read back."""
        raise UnsupportedFeatureError("WorkflowStatus.input", "publish what others shall see with DBOS.set_event")


def status_of(found: Description) -> WorkflowStatus:
    """Say it in DBOS's words."""
    settled = found.settled_at
    return WorkflowStatus(
        workflow_id=found.id,
        status=_STATUS[found.state],
        name=found.function or "",
        created_at=round(found.created_at * 1000),
        updated_at=round((found.created_at if settled is None else settled) * 1000),
        parent_workflow_id=_parent_of(found),
        queue_name=found.tags.get("dbos:queue"),
        delay_ms=round(float(found.tags["dbos:delay"]) * 1000) if "dbos:delay" in found.tags else None,
    )


def _parent_of(found: Description) -> str | None:
    """Return the workflow that started one; a rewritten one has its child's by the runtime's own tag."""
    own = found.tags.get("resonate:parent")
    return found.tags.get("dbos:parent") or (own if own != found.id else None)


class WorkflowHandle(Generic[R]):
    """A workflow that was started or found."""

    def __init__(self, runtime: Runtime, workflow_id: str) -> None:
        self._runtime = runtime
        self.workflow_id = workflow_id

    def get_workflow_id(self) -> str:
        """Return the id."""
        return self.workflow_id

    def get_result(self, *, polling_interval_sec: float = 1.0) -> R:  # noqa: ARG002 - results are pushed here
        """Wait for the result, or raise what the workflow raised."""
        return awaited_result(self._runtime, self.workflow_id)  # type: ignore[no-any-return]

    def get_status(self) -> WorkflowStatus:
        """Say how it stands."""
        return self._runtime.status(self.workflow_id)


class WorkflowHandleAsync(Generic[R]):
    """The same for async code."""

    def __init__(self, runtime: Runtime, workflow_id: str) -> None:
        self._runtime = runtime
        self.workflow_id = workflow_id

    def get_workflow_id(self) -> str:
        """Return the id."""
        return self.workflow_id

    async def get_result(self, *, polling_interval_sec: float = 1.0) -> R:  # noqa: ARG002 - results are pushed here
        """Wait for the result, or raise what the workflow raised."""
        value: R = await awaited_result_async(self._runtime, self.workflow_id)
        return value

    async def get_status(self) -> WorkflowStatus:
        """Say how it stands."""
        return await asyncio.to_thread(self._runtime.status, self.workflow_id)


def awaited_result(runtime: Runtime, workflow_id: str) -> Any:
    """Return the result of a workflow; what a workflow reads of another one is recorded."""
    place = workflow_here.get()
    return _outside(runtime, workflow_id) if place is None else place.asker.ask(_reading(place, workflow_id))


async def awaited_result_async(runtime: Runtime, workflow_id: str) -> Any:
    """Do the same from async code."""
    place = workflow_here.get()
    if place is None:
        return await asyncio.to_thread(_outside, runtime, workflow_id)
    return await place.asker.ask_async(_reading(place, workflow_id))


def _reading(place: WorkflowPlace, workflow_id: str) -> Operation:
    place.next_step_id()

    def operation(ctx: Any) -> Any:
        promise = place.children.get(workflow_id) or (yield ctx.promise(id=workflow_id))
        try:
            return (yield promise)
        except (CanceledError, TimedOutError) as error:
            raise _cancelled(workflow_id) from error

    return operation


def _outside(runtime: Runtime, workflow_id: str) -> Any:
    try:
        return runtime.client.get(workflow_id).result()
    except NotFoundError as error:
        raise DBOSNonExistentWorkflowError(f"there is no workflow {workflow_id!r}") from error
    except (CanceledError, TimedOutError) as error:
        raise _cancelled(workflow_id) from error


def _cancelled(workflow_id: str) -> DBOSAwaitedWorkflowCancelledError:
    return DBOSAwaitedWorkflowCancelledError(f"workflow {workflow_id} was cancelled")
