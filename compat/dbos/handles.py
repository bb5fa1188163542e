"""Handles of workflows: from inside a workflow their results are recorded, from outside they are read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from compat.dbos.context import workflow_here
from compat.dbos.error import DBOSAwaitedWorkflowCancelledError, DBOSNonExistentWorkflowError
from resonate_core import CanceledError, NotFoundError, TimedOutError

if TYPE_CHECKING:
    from compat.dbos.body import Operation
    from compat.dbos.context import WorkflowPlace
    from compat.dbos.runtime import Runtime
    from compat.dbos.statuses import WorkflowStatus

R = TypeVar("R")


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
        return self._runtime.statuses.of(self.workflow_id)


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
        return await asyncio.to_thread(self._runtime.statuses.of, self.workflow_id)


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
        if workflow_id in place.starters:
            yield (yield ctx.promise(id=place.starters[workflow_id]))
        promise = place.children.get(workflow_id) or (yield ctx.promise(id=workflow_id))
        try:
            return (yield promise)
        except (CanceledError, TimedOutError) as error:
            raise _cancelled(workflow_id) from error

    return operation


def _outside(runtime: Runtime, workflow_id: str) -> Any:
    try:
        try:
            found = runtime.client.get(workflow_id)
        except NotFoundError:
            starter = runtime.statuses.starter(workflow_id)
            if starter is None:
                raise
            runtime.client.get(runtime.host.id_of(starter)).result()
            found = runtime.client.get(workflow_id)
        return found.result()
    except NotFoundError as error:
        raise DBOSNonExistentWorkflowError(f"there is no workflow {workflow_id!r}") from error
    except (CanceledError, TimedOutError) as error:
        raise _cancelled(workflow_id) from error


def _cancelled(workflow_id: str) -> DBOSAwaitedWorkflowCancelledError:
    return DBOSAwaitedWorkflowCancelledError(f"workflow {workflow_id} was cancelled")
