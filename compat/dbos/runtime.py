"""What ``DBOS.launch`` starts: a Resonate client and worker that runs the registered workflows."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import uuid
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.async_body import AsyncBody
from compat.dbos.body import Body
from compat.dbos.context import WorkflowPlace, step_here, take_workflow_id, wishes, workflow_here
from compat.dbos.error import (
    DBOSConflictingWorkflowError,
    DBOSException,
    DBOSNonExistentWorkflowError,
)
from compat.dbos.functions import Workflow, receiver_of, workflows
from compat.dbos.handles import WorkflowStatus, status_of
from resonate_core import NotFoundError, Resonate, UsageError, durable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.dbos.body import Operation

_logger = logging.getLogger("dbos")
GROUP: Final = "dbos"
TAG_PARENT: Final = "dbos:parent"


class Runtime:
    """One launched DBOS.

    Args:
        config: as given to ``DBOS(config=...)``.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.client = Resonate(_url_of(config), group=GROUP)
        self.is_launched = False

    def launch(self) -> None:
        """Run what is registered, and what other processes have left."""
        for workflow in workflows.values():
            self.register(workflow)
        self.client.start()
        self.is_launched = True

    def register(self, workflow: Workflow) -> None:
        """Let this process run a workflow."""
        self.client.register(durable(name=workflow.name)(_driver_of(workflow)))

    def destroy(self, timeout: float) -> None:
        """Stop; what runs goes on in other processes, or at the next launch."""
        self.client.stop(timeout=timeout)
        self.is_launched = False

    # -- starting -------------------------------------------------------------------------------------------------

    def start(self, workflow: Workflow, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Start a workflow, as a child if a workflow starts it; return its id.

        Raises:
            DBOSConflictingWorkflowError: the id belongs to another function.
        """
        place, chosen, args, kwargs = _asked_for(workflow, args, kwargs)
        if place is None:
            return self._start_root(workflow, chosen or str(uuid.uuid4()), args, kwargs)
        return str(place.asker.ask(_starting(place, workflow, chosen, args, kwargs)))

    async def start_async(self, workflow: Workflow, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Do the same from async code."""
        place, chosen, args, kwargs = _asked_for(workflow, args, kwargs)
        if place is None:
            start = functools.partial(self._start_root, workflow, chosen or str(uuid.uuid4()), args, kwargs)
            return await asyncio.to_thread(start)
        return str(await place.asker.ask_async(_starting(place, workflow, chosen, args, kwargs)))

    def _start_root(self, workflow: Workflow, workflow_id: str, args: Any, kwargs: Any) -> str:
        options: dict[str, Any] = {}
        if wishes().timeout is not None:
            options["timeout"] = wishes().timeout
        try:
            self.client.options(**options).begin_rpc(workflow_id, workflow.name, *args, **kwargs)
        except UsageError as error:
            if "belongs to an execution of" not in str(error):
                raise
            raise DBOSConflictingWorkflowError(str(error)) from error
        return workflow_id

    # -- looking --------------------------------------------------------------------------------------------------

    def status(self, workflow_id: str) -> WorkflowStatus:
        """Say how a workflow stands.

        Raises:
            DBOSNonExistentWorkflowError: there is none of this id.
        """
        try:
            return status_of(self.client.describe(workflow_id))
        except NotFoundError as error:
            raise DBOSNonExistentWorkflowError(f"there is no workflow {workflow_id!r}") from error

    def list(
        self, *, status: str | None = None, name: str | None = None, limit: int | None = None
    ) -> list[WorkflowStatus]:
        """List workflows, oldest first."""
        found = [status_of(one) for one in self.client.list()]
        found = [one for one in found if one.name in workflows]
        if status is not None:
            found = [one for one in found if one.status == status]
        if name is not None:
            found = [one for one in found if one.name == name]
        found.sort(key=lambda one: one.created_at)
        return found if limit is None else found[:limit]


def _asked_for(
    workflow: Workflow, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[WorkflowPlace | None, str | None, tuple[Any, ...], dict[str, Any]]:
    """Return (the workflow that starts it, the chosen id, arguments that travel)."""
    if step_here.get() is not None:
        raise AssertionError(f"step {step_here.get()!r} starts workflow {workflow.name}; only workflows may")
    args, receiver = receiver_of(workflow.function, args)
    return workflow_here.get(), take_workflow_id(), args, {**kwargs, **receiver}


def _starting(place: WorkflowPlace, workflow: Workflow, chosen: str | None, args: Any, kwargs: Any) -> Operation:
    """Start a child under DBOS's own id: the parent's, a dash, and the number of the call."""
    child_id = chosen or f"{place.id}-{place.next_step_id()}"
    limit = wishes().timeout if wishes().has_timeout else place.timeout

    def operation(ctx: Any) -> Any:
        command = ctx.detached(workflow.name, *args, **kwargs)
        command.options(id=child_id, timeout=limit, tags={TAG_PARENT: place.id})
        place.children[child_id] = yield command
        return child_id

    if chosen is not None:
        place.next_step_id()
    return operation


def _driver_of(workflow: Workflow) -> Callable[..., Any]:
    def driven(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        def call() -> Any:
            workflow_here.set(WorkflowPlace(ctx.id, body))
            return workflow.bound(args, kwargs)()

        body: Body = AsyncBody(call, ctx.id) if workflow.is_async else Body(call, ctx.id)
        return (yield from body.driven(ctx))

    driven.__name__ = workflow.name
    return driven


def _url_of(config: Mapping[str, Any]) -> str | None:
    """Return where everything is kept; a database of DBOS is not it, and that is said once."""
    given = config.get("system_database_url") or config.get("database_url")
    own = os.environ.get("RESONATE_URL")
    if given and str(given).startswith(("memory:", "http://", "https://")):
        return str(given)
    if given:
        _logger.warning(
            "DBOS's database is not used: executions are kept in %s (set RESONATE_URL to change that)",
            own or "sqlite:///resonate.db",
        )
    return own


def require(runtime: Runtime | None) -> Runtime:
    """Return a launched runtime.

    Raises:
        DBOSException: there is none.
    """
    if runtime is None or not runtime.is_launched:
        raise DBOSException("DBOS is not launched: call DBOS(config=...) and DBOS.launch() first")
    return runtime
