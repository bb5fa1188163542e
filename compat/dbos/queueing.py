"""The part of ``DBOS`` that knows queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compat.dbos.context import SetWorkflowID, take_workflow_id
from compat.dbos.functions import elsewhere, with_receiver, workflow_of
from compat.dbos.handles import WorkflowHandle, WorkflowHandleAsync
from compat.dbos.missing import refuse_arguments
from compat.dbos.queues import Queue, QueueRateLimit, queue_of, queues, wanted_by_options, wanted_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.dbos.runtime import Runtime


class Queueing:
    """Queues by name."""

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started."""
        raise NotImplementedError

    @classmethod
    def register_queue(
        cls,
        name: str,
        *,
        worker_concurrency: int | None = None,
        global_concurrency: int | None = None,
        partition_concurrency: int | None = None,
        partition_worker_concurrency: int | None = None,
        partition_limiter: QueueRateLimit | None = None,
        limiter: QueueRateLimit | None = None,
        polling_interval_sec: float = 1.0,
        on_conflict: str = "update_if_latest_version",
        concurrency: int | None = None,
        priority_enabled: bool = False,
        partition_queue: bool = False,
    ) -> Queue:
        """Make a queue, or change the limits of one."""
        if on_conflict != "update_if_latest_version" and name in queues:
            refuse_arguments("DBOS.register_queue", {"on_conflict": on_conflict})
        return Queue(
            name,
            concurrency,
            limiter,
            worker_concurrency=worker_concurrency,
            global_concurrency=global_concurrency,
            partition_concurrency=partition_concurrency,
            partition_worker_concurrency=partition_worker_concurrency,
            partition_limiter=partition_limiter,
            polling_interval_sec=polling_interval_sec,
            priority_enabled=priority_enabled,
            partition_queue=partition_queue,
        )

    @classmethod
    def retrieve_queue(cls, name: str) -> Queue | None:
        """Return a queue, None if there is none."""
        return queues.get(name)

    @classmethod
    def list_queues(cls) -> list[Queue]:
        """Return all queues of this process."""
        return list(queues.values())

    @classmethod
    def enqueue_workflow(
        cls, queue_name: str, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> WorkflowHandle[Any]:
        """Start a workflow when its turn in the queue comes."""
        runtime, queue = cls.launched(), queue_of(queue_name)
        args = with_receiver(func, args)
        return WorkflowHandle(runtime, runtime.enqueue(queue, workflow_of(func), args, kwargs))

    @classmethod
    async def enqueue_workflow_async(
        cls, queue_name: str, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> WorkflowHandleAsync[Any]:
        """Start a workflow when its turn in the queue comes."""
        runtime, queue = cls.launched(), queue_of(queue_name)
        args, where = with_receiver(func, args), wanted_in(queue)
        return WorkflowHandleAsync(runtime, await runtime.enqueue_async(where, workflow_of(func), args, kwargs))

    @classmethod
    def enqueue_workflow_with_options(
        cls, options: Mapping[str, Any], *args: Any, **kwargs: Any
    ) -> WorkflowHandle[Any]:
        """Start a workflow by name, which another process may run, when its turn in the queue comes."""
        runtime, where, workflow = cls.launched(), wanted_by_options(options), elsewhere(options["workflow_name"])
        with SetWorkflowID(options.get("workflow_id") or take_workflow_id()):
            return WorkflowHandle(runtime, runtime.enqueue_as(where, workflow, args, kwargs))

    @classmethod
    async def enqueue_workflow_with_options_async(
        cls, options: Mapping[str, Any], *args: Any, **kwargs: Any
    ) -> WorkflowHandleAsync[Any]:
        """Start a workflow by name, which another process may run, when its turn in the queue comes."""
        runtime, where, workflow = cls.launched(), wanted_by_options(options), elsewhere(options["workflow_name"])
        with SetWorkflowID(options.get("workflow_id") or take_workflow_id()):
            return WorkflowHandleAsync(runtime, await runtime.enqueue_async(where, workflow, args, kwargs))
