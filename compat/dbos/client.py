"""``DBOSClient``: workflows by name, from a program that runs none of them."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

from compat.dbos.error import DBOSNonExistentWorkflowError
from compat.dbos.functions import elsewhere
from compat.dbos.handles import WorkflowHandle, WorkflowHandleAsync
from compat.dbos.missing import refuse_arguments
from compat.dbos.queues import EnqueueOptions, wanted_by_options
from compat.dbos.runtime import Runtime
from compat.dbos.talking import send_outside

if TYPE_CHECKING:

    from compat.dbos.statuses import WorkflowStatus


class DBOSClient:
    """Starts and watches workflows that other processes run.

    Args:
        system_database_url: ``memory:`` is of no use here; a server's URL or, without one, ``RESONATE_URL``.
        database_url: the same in old programs.
    """

    def __init__(
        self, *, system_database_url: str | None = None, database_url: str | None = None, **unknown: Any
    ) -> None:
        refuse_arguments("DBOSClient", unknown)
        self.runtime = Runtime({"system_database_url": system_database_url or database_url})

    def destroy(self) -> None:
        """Let go of the store."""
        self.runtime.destroy(0)

    def enqueue(self, options: EnqueueOptions, *args: Any, **kwargs: Any) -> WorkflowHandle[Any]:
        """Start a workflow by name when its turn comes; the limits are those of the processes that run it."""
        where = wanted_by_options(options)
        workflow_id = options.get("workflow_id") or str(uuid.uuid4())
        found = self.runtime.enqueue_root(where, elsewhere(options["workflow_name"]), workflow_id, args, kwargs)
        return WorkflowHandle(self.runtime, found)

    async def enqueue_async(self, options: EnqueueOptions, *args: Any, **kwargs: Any) -> WorkflowHandleAsync[Any]:
        """Start a workflow by name when its turn comes."""
        found = await asyncio.to_thread(self.enqueue, options, *args, **kwargs)
        return WorkflowHandleAsync(self.runtime, found.workflow_id)

    def retrieve_workflow(self, workflow_id: str) -> WorkflowHandle[Any]:
        """Find a workflow.

        Raises:
            DBOSNonExistentWorkflowError: there is none of this id.
        """
        self.runtime.statuses.of(workflow_id)
        return WorkflowHandle(self.runtime, workflow_id)

    def get_workflow_status(self, workflow_id: str) -> WorkflowStatus | None:
        """Say how a workflow stands; None if there is none."""
        try:
            return self.runtime.statuses.of(workflow_id)
        except DBOSNonExistentWorkflowError:
            return None

    def send(
        self, destination_id: str, message: Any, topic: str | None = None, idempotency_key: str | None = None
    ) -> None:
        """Send a message to a workflow."""
        send_outside(self.runtime, destination_id, message, topic, idempotency_key)

    async def send_async(
        self, destination_id: str, message: Any, topic: str | None = None, idempotency_key: str | None = None
    ) -> None:
        """Send a message to a workflow."""
        await asyncio.to_thread(self.send, destination_id, message, topic, idempotency_key)

    def get_event(self, workflow_id: str, key: str, timeout_seconds: float = 60) -> Any:
        """Read what a workflow published; None when the time is over first."""
        return self.runtime.client.get_event(workflow_id, key, timeout_seconds)

    async def get_event_async(self, workflow_id: str, key: str, timeout_seconds: float = 60) -> Any:
        """Read what a workflow published; None when the time is over first."""
        return await asyncio.to_thread(self.get_event, workflow_id, key, timeout_seconds)

    def cancel_workflow(self, workflow_id: str) -> None:
        """Cancel a workflow at its next durable call."""
        self.runtime.client.cancel(workflow_id, "cancelled by DBOSClient.cancel_workflow")

    async def cancel_workflow_async(self, workflow_id: str) -> None:
        """Cancel a workflow at its next durable call."""
        await asyncio.to_thread(self.cancel_workflow, workflow_id)
