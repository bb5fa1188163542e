"""``DBOSClient``: workflows by name, from a program that runs none of them."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.error import DBOSNonExistentWorkflowError
from compat.dbos.functions import elsewhere
from compat.dbos.handles import WorkflowHandle, WorkflowHandleAsync
from compat.dbos.managing import listed
from compat.dbos.missing import refuse_arguments
from compat.dbos.queues import EnqueueOptions, wanted_by_options
from compat.dbos.runtime import Runtime
from compat.dbos.streaming import read
from compat.dbos.talking import send_outside

if TYPE_CHECKING:
    from collections.abc import Generator

    from compat.dbos.statuses import WorkflowStatus


#: Settings of connections to DBOS's databases, which are not used.
_OF_THE_DATABASE: Final = frozenset(
    {
        *("application_database_url", "system_database_engine", "dbos_system_schema", "system_database_pool_size"),
        *("system_database_polling_concurrency", "use_listen_notify", "lazy", "retry_connection_errors"),
        *("observability_query_timeout_sec", "sys_db_idle_transaction_timeout_sec"),
    }
)


#: Filter of a list -> attribute of a status.
_ATTRIBUTES: Final = {
    "workflow_ids": "workflow_id",
    **{name: name for name in ("status", "name", "parent_workflow_id", "queue_name")},
}


class DBOSClient:
    """Starts and watches workflows that other processes run.

    Args:
        system_database_url: ``memory:`` is of no use here; a server's URL or, without one, ``RESONATE_URL``.
        database_url: the same in old programs.
    """

    def __init__(
        self, *, system_database_url: str | None = None, database_url: str | None = None, **unknown: Any
    ) -> None:
        refuse_arguments("DBOSClient", {name: value for name, value in unknown.items() if name not in _OF_THE_DATABASE})
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

    def list_workflows(self, **filters: Any) -> list[WorkflowStatus]:
        """List workflows, oldest first; the filters are those of ``DBOS.list_workflows``."""
        wanted = {attribute: filters.pop(name, None) for name, attribute in _ATTRIBUTES.items()}
        return listed(self.runtime, wanted, **filters)

    async def list_workflows_async(self, **filters: Any) -> list[WorkflowStatus]:
        """List workflows, oldest first."""
        return await asyncio.to_thread(self.list_workflows, **filters)

    def read_stream(self, workflow_id: str, key: str, *, offset: int = 0, **options: Any) -> Generator[Any, Any, None]:
        """Give the values of a stream; see ``DBOS.read_stream``."""
        return read(self.runtime, workflow_id, key, offset, options.get("timeout_seconds"))

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
