"""The part of ``DBOS`` that looks after workflows: find, list, wait, cancel; each for plain and for async code."""

from __future__ import annotations

import asyncio
from concurrent import futures
from typing import TYPE_CHECKING, Any

from compat.dbos.context import step_here, workflow_here
from compat.dbos.error import DBOSNonExistentWorkflowError
from compat.dbos.handles import (
    WorkflowHandle,
    WorkflowHandleAsync,
    awaited_result,
    awaited_result_async,
)
from compat.dbos.missing import refuse_arguments
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compat.dbos.runtime import Runtime
    from compat.dbos.statuses import WorkflowStatus

_QUEUED = ("ENQUEUED", "DELAYED")


class Managing:
    """Workflows as seen from beside them."""

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started."""
        raise NotImplementedError

    @classmethod
    def retrieve_workflow(cls, workflow_id: str, existing_workflow: bool = True) -> WorkflowHandle[Any]:
        """Find a workflow.

        Raises:
            DBOSNonExistentWorkflowError: there is none of this id.
        """
        runtime = cls.launched()
        if existing_workflow:
            runtime.statuses.of(workflow_id)
        return WorkflowHandle(runtime, workflow_id)

    @classmethod
    async def retrieve_workflow_async(
        cls,
        workflow_id: str,
        existing_workflow: bool = True,
    ) -> WorkflowHandleAsync[Any]:
        """Find a workflow."""
        await asyncio.to_thread(cls.retrieve_workflow, workflow_id, existing_workflow)
        return WorkflowHandleAsync(cls.launched(), workflow_id)

    @classmethod
    def get_result(cls, workflow_id: str) -> Any:
        """Wait for a workflow's result."""
        return awaited_result(cls.launched(), workflow_id)

    @classmethod
    async def get_result_async(cls, workflow_id: str) -> Any:
        """Wait for a workflow's result."""
        return await awaited_result_async(cls.launched(), workflow_id)

    @classmethod
    def get_workflow_status(cls, workflow_id: str) -> WorkflowStatus | None:
        """Say how a workflow stands; None if there is none. A workflow's own reading is recorded."""
        runtime = cls.launched()

        def read() -> WorkflowStatus | None:
            try:
                return runtime.statuses.of(workflow_id)
            except DBOSNonExistentWorkflowError:
                return None

        return recorded("DBOS.getStatus", read)  # type: ignore[no-any-return]

    @classmethod
    async def get_workflow_status_async(cls, workflow_id: str) -> WorkflowStatus | None:
        """Say how a workflow stands; None if there is none."""
        return await called_async(cls.get_workflow_status, workflow_id)  # type: ignore[no-any-return]

    @classmethod
    def list_workflows(
        cls,
        *,
        workflow_ids: list[str] | None = None,
        status: str | list[str] | None = None,
        start_time: str | None = None,
        end_time: str | None = None,
        name: str | list[str] | None = None,
        parent_workflow_id: str | list[str] | None = None,
        queue_name: str | list[str] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        sort_desc: bool = False,
        workflow_id_prefix: str | list[str] | None = None,
        load_input: bool = True,
        load_output: bool = True,
        has_parent: bool | None = None,
        **unknown: Any,
    ) -> list[WorkflowStatus]:
        """List workflows, oldest first."""
        refuse_arguments("DBOS.list_workflows", unknown)
        del load_input, load_output  # both are read in any case
        wanted = {
            "workflow_id": workflow_ids,
            "status": status,
            "name": name,
            "parent_workflow_id": parent_workflow_id,
            "queue_name": queue_name,
        }
        runtime = cls.launched()

        def read() -> list[WorkflowStatus]:
            return listed(
                runtime,
                wanted,
                start_time=start_time,
                end_time=end_time,
                limit=limit,
                offset=offset,
                sort_desc=sort_desc,
                workflow_id_prefix=workflow_id_prefix,
                has_parent=has_parent,
            )

        return recorded("DBOS.listWorkflows", read)  # type: ignore[no-any-return]

    @classmethod
    async def list_workflows_async(cls, **filters: Any) -> list[WorkflowStatus]:
        """List workflows, oldest first."""
        return await called_async(cls.list_workflows, **filters)  # type: ignore[no-any-return]

    @classmethod
    def list_queued_workflows(cls, **filters: Any) -> list[WorkflowStatus]:
        """List workflows that are in a queue and have not ended."""
        filters.setdefault("status", [*_QUEUED, "PENDING"])
        return [one for one in cls.list_workflows(**filters) if one.queue_name is not None]

    @classmethod
    async def list_queued_workflows_async(cls, **filters: Any) -> list[WorkflowStatus]:
        """List workflows that are in a queue and have not ended."""
        return await called_async(cls.list_queued_workflows, **filters)  # type: ignore[no-any-return]

    @classmethod
    def cancel_workflow(cls, workflow_id: str, *, cancel_children: bool = False) -> None:
        """Cancel a workflow at its next durable call."""
        runtime = cls.launched()

        def cancel() -> None:
            runtime.client.cancel(workflow_id, "cancelled by DBOS.cancel_workflow")
            if cancel_children:
                for child in runtime.statuses.list(
                    wanted={"parent_workflow_id": [workflow_id], "status": [*_QUEUED, "PENDING"]}
                ):
                    cls.cancel_workflow(child.workflow_id, cancel_children=True)

        recorded("DBOS.cancelWorkflow", cancel)

    @classmethod
    async def cancel_workflow_async(cls, workflow_id: str, *, cancel_children: bool = False) -> None:
        """Cancel a workflow at its next durable call."""
        await called_async(cls.cancel_workflow, workflow_id, cancel_children=cancel_children)

    @classmethod
    def cancel_workflows(cls, workflow_ids: list[str], *, cancel_children: bool = False) -> None:
        """Cancel several workflows."""
        for workflow_id in workflow_ids:
            cls.cancel_workflow(workflow_id, cancel_children=cancel_children)

    @classmethod
    async def cancel_workflows_async(cls, workflow_ids: list[str], *, cancel_children: bool = False) -> None:
        """Cancel several workflows."""
        await called_async(cls.cancel_workflows, workflow_ids, cancel_children=cancel_children)

    @classmethod
    def wait_first(
        cls,
        handles: list[WorkflowHandle[Any]],
        *,
        polling_interval_sec: float = 1.0,  # noqa: ARG003 - results are pushed here
    ) -> WorkflowHandle[Any]:
        """Wait until one of several workflows has ended; return its handle.

        Raises:
            UnsupportedFeatureError: a workflow's own body calls, where the choice would have to be recorded.
        """
        if workflow_here.get() is not None and step_here.get() is None:
            raise UnsupportedFeatureError("DBOS.wait_first in a workflow's own body", "await one after the other")
        host = cls.launched().host
        settled = {host.settled(handle.workflow_id): handle for handle in handles}
        if not settled:
            raise ValueError("wait_first needs a handle, got none")
        done, _ = futures.wait(settled, return_when=futures.FIRST_COMPLETED)
        return next(handle for future, handle in settled.items() if future in done)

    @classmethod
    async def wait_first_async(
        cls, handles: list[WorkflowHandleAsync[Any]], *, polling_interval_sec: float = 1.0
    ) -> WorkflowHandleAsync[Any]:
        """Wait until one of several workflows has ended; return its handle."""
        plain = [WorkflowHandle[Any](cls.launched(), handle.workflow_id) for handle in handles]
        first = await called_async(cls.wait_first, plain, polling_interval_sec=polling_interval_sec)
        return next(handle for handle in handles if handle.workflow_id == first.workflow_id)


    @classmethod
    async def asyncio_wait(
        cls, fs: list[Any], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
    ) -> tuple[set[asyncio.Task[Any]], set[asyncio.Task[Any]]]:
        """Wait for tasks as ``asyncio.wait`` does; in a workflow, which of them are done is recorded."""
        tasks = [asyncio.ensure_future(one) for one in fs]
        done, pending = await asyncio.wait(tasks, timeout=timeout, return_when=return_when)
        if workflow_here.get() is None or step_here.get() is not None:
            return done, pending
        found = [index for index, task in enumerate(tasks) if task in done]
        known = [tasks[index] for index in await called_async(recorded, "DBOS.asyncio_wait", lambda: found)]
        if known:
            await asyncio.wait(known)
        return set(known), set(tasks) - set(known)


def listed(
    runtime: Runtime,
    wanted: Mapping[str, Any],
    *,
    start_time: str | None = None,
    end_time: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
    sort_desc: bool = False,
    workflow_id_prefix: str | list[str] | None = None,
    has_parent: bool | None = None,
) -> list[WorkflowStatus]:
    """List workflows; ``wanted`` has values of attributes, the other filters are those of ``DBOS.list_workflows``."""
    return runtime.statuses.list(
        wanted={key: _several(value) for key, value in wanted.items() if value is not None},
        since=start_time,
        until=end_time,
        prefixes=tuple(_several(workflow_id_prefix or "")),
        has_parent=has_parent,
        newest_first=sort_desc,
    )[offset or 0 :][:limit]


async def called_async(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call from async code: on a thread outside, at once in a workflow, where calls are recorded in order."""
    if workflow_here.get() is not None and step_here.get() is None:
        return function(*args, **kwargs)
    return await asyncio.to_thread(function, *args, **kwargs)


def recorded(name: str, function: Any) -> Any:
    """Call a function; in a workflow's own body as a step, so that a replay sees the same."""
    place = workflow_here.get()
    if place is None or step_here.get() is not None:
        return function()
    place.next_step_id()

    def run() -> Any:
        return function()

    run.__name__ = run.__qualname__ = name

    def operation(ctx: Any) -> Any:
        return (yield ctx.run(run).options(retry_policy=None))

    return place.asker.ask(operation)


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
