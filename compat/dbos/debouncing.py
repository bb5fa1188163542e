"""``Debouncer``: many calls under one key start one workflow, with the arguments of the last. See ``debounced``."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from compat.dbos.context import step_here, take_workflow_id, wishes, workflow_here
from compat.dbos.debounced import DEBOUNCED_FUNCTION, debounced_id
from compat.dbos.error import DBOSException
from compat.dbos.functions import workflow_of
from compat.dbos.handles import WorkflowHandle, WorkflowHandleAsync
from compat.dbos.managing import recorded
from compat.dbos.missing import refuse_arguments
from compat.dbos.queues import queue_of
from compat.dbos.statuses import TAG_DEBOUNCED, TAG_DEBOUNCED_NAME
from resonate_core import AlreadyStartedError, ExecutionClosedError, declared_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.dbos.client import DBOSClient
    from compat.dbos.queues import EnqueueOptions, Queue
    from compat.dbos.runtime import Runtime

P = ParamSpec("P")
R = TypeVar("R")
_OWNED = {
    "dedup": "deduplication_id: the debounce key takes its place",
    "delay": "delay: the debounce period takes its place",
    "priority": "priority",
    "partition": "queue_partition_key: queues with partitions do not deduplicate",
    "policy": "duplication_policy",
}


class Debouncer(Generic[P, R]):
    """Starts one workflow for all calls of a key that follow each other within their periods.

    Args:
        workflow_name: what it starts.
        debounce_timeout_sec: seconds from the first call on after which it is started in any case.
        queue: that it waits in, once its time has come.
    """

    def __init__(
        self,
        workflow_name: str,
        *,
        debounce_timeout_sec: float | None = None,
        queue: Queue | str | None = None,
        application_name: str | None = None,
    ) -> None:
        refuse_arguments("Debouncer", {"application_name": application_name})
        self._rule = _Rule(workflow_name, debounce_timeout_sec, _name_of(queue))

    @staticmethod
    def create(
        workflow: Callable[P, R],
        *,
        debounce_timeout_sec: float | None = None,
        queue: Queue | str | None = None,
        application_name: str | None = None,
    ) -> Debouncer[P, R]:
        """Return a debouncer of a workflow function.

        Raises:
            TypeError: it is a method.
        """
        if inspect.ismethod(workflow):
            raise TypeError("Only workflow functions may be debounced, not methods")
        name = workflow_of(workflow).name
        return Debouncer(
            name, debounce_timeout_sec=debounce_timeout_sec, queue=queue, application_name=application_name
        )

    #: The same for workflows that are coroutine functions.
    create_async = create

    def debounce(
        self, debounce_key: str, debounce_period_sec: float, *args: P.args, **kwargs: P.kwargs
    ) -> WorkflowHandle[R]:
        """Start the workflow, or start it later and with these arguments; a workflow's own call is recorded.

        Raises:
            DBOSException: an option around the call that the debouncer decides itself.
        """
        from compat.dbos.dbos import DBOS  # noqa: PLC0415 - the two know each other

        runtime, rule, chosen = DBOS.launched(), self._rule, take_workflow_id()
        _check_wishes(wishes().enqueue)
        if rule.queue is not None and declared_limits(rule.queue) is None:
            queue_of(rule.queue)  # says that there is none
        if runtime.workflow_name(rule.workflow) is None:
            raise DBOSException(f"Invalid workflow name provided to debouncer: {rule.workflow}")
        rule, call = replace(rule, workflow_timeout=wishes().timeout), (list(args), dict(kwargs))

        place = workflow_here.get() if step_here.get() is None else None
        own = str(uuid.uuid4()) if place is None else f"{place.id}-{place.step_id + 1}"

        def bounce() -> list[str]:
            return _bounce(runtime, rule, (debounce_key, debounce_period_sec), chosen or own, call)

        workflow_id, starter = recorded("DBOS.debounce_delayed_workflow", bounce)
        if place is not None:
            place.starters[workflow_id] = starter
        return WorkflowHandle(runtime, workflow_id)

    async def debounce_async(
        self, debounce_key: str, debounce_period_sec: float, *args: P.args, **kwargs: P.kwargs
    ) -> WorkflowHandleAsync[R]:
        """Do the same from async code."""
        from compat.dbos.dbos import DBOS  # noqa: PLC0415

        if workflow_here.get() is not None and step_here.get() is None:
            handle = self.debounce(debounce_key, debounce_period_sec, *args, **kwargs)
        else:
            handle = await asyncio.to_thread(self.debounce, debounce_key, debounce_period_sec, *args, **kwargs)
        return WorkflowHandleAsync(DBOS.launched(), handle.workflow_id)


class DebouncerClient:
    """The same from a program that runs no workflows.

    Args:
        client: starts them.
        workflow_options: as for ``DBOSClient.enqueue``; the queue is that of the debouncer, if it names one.
        debounce_timeout_sec: seconds from the first call on after which the workflow is started in any case.
        queue: that it waits in, once its time has come.
    """

    def __init__(
        self,
        client: DBOSClient,
        workflow_options: EnqueueOptions,
        *,
        debounce_timeout_sec: float | None = None,
        queue: Queue | str | None = None,
        application_name: str | None = None,
    ) -> None:
        refuse_arguments("DebouncerClient", {"application_name": application_name})
        self._client = client
        self._options = workflow_options
        name = _name_of(queue) or workflow_options["queue_name"]
        timeout = workflow_options.get("workflow_timeout")
        self._rule = _Rule(workflow_options["workflow_name"], debounce_timeout_sec, name, timeout)

    def debounce(
        self, debounce_key: str, debounce_period_sec: float, *args: Any, **kwargs: Any
    ) -> WorkflowHandle[Any]:
        """Start the workflow, or start it later and with these arguments.

        Raises:
            DBOSException: an option that the debouncer decides itself.
        """
        given = self._options
        _check_wishes(
            {
                "dedup": given.get("deduplication_id"),
                "delay": given.get("delay_seconds"),
                "priority": given.get("priority"),
                "partition": given.get("queue_partition_key"),
                "policy": getattr(given.get("duplication_policy"), "value", given.get("duplication_policy")),
            }
        )
        call, chosen = (list(args), dict(kwargs)), given.get("workflow_id") or str(uuid.uuid4())
        found, _ = _bounce(self._client.runtime, self._rule, (debounce_key, debounce_period_sec), chosen, call)
        return WorkflowHandle(self._client.runtime, found)

    async def debounce_async(
        self, debounce_key: str, debounce_period_sec: float, *args: Any, **kwargs: Any
    ) -> WorkflowHandleAsync[Any]:
        """Do the same from async code."""
        handle = await asyncio.to_thread(self.debounce, debounce_key, debounce_period_sec, *args, **kwargs)
        return WorkflowHandleAsync(self._client.runtime, handle.workflow_id)


@dataclass(frozen=True)
class _Rule:
    """What is started and when: ``limit`` and ``workflow_timeout`` are seconds."""

    workflow: str
    limit: float | None
    queue: str | None
    workflow_timeout: float | None = None


def _name_of(queue: Any) -> str | None:
    """Return the name of a queue, of DBOS's kind or rewritten already."""
    name: str | None = getattr(queue, "name", queue)
    return name


def _check_wishes(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        is_harmless = value is None or (name == "policy" and value != "return-existing")
        if name in _OWNED and not is_harmless:
            raise DBOSException(f"Cannot debounce a workflow with a {_OWNED[name]}; got {value!r}")


def _bounce(
    runtime: Runtime, rule: _Rule, when: tuple[str, float], workflow_id: str, call: tuple[list[Any], dict[str, Any]]
) -> list[str]:
    """Join the start of a key that waits, or begin one.

    Args:
        runtime: to ask.
        rule: of the debouncer.
        when: the key, and the period in seconds.
        workflow_id: of the workflow, should this call begin the start. Once it exists this call has been heard.
        call: arguments of the workflow.

    Returns:
        The id of the workflow, and of the promise of the execution that starts it.
    """
    (key, period), (args, kwargs) = when, call
    key_id = debounced_id(rule.queue, f"{rule.workflow}-{key}")
    tags = {TAG_DEBOUNCED: workflow_id, TAG_DEBOUNCED_NAME: rule.workflow}
    while True:
        now = time.time()
        spec = {**_spec(rule, now, period), "workflow_id": workflow_id, "args": args, "kwargs": kwargs}
        begin = runtime.client.options(tags=tags, if_exists="restart_closed")
        try:
            starter = begin.begin_rpc(key_id, DEBOUNCED_FUNCTION, spec)
        except AlreadyStartedError:
            starter = runtime.client.get(key_id)
        try:
            found = runtime.client.update(key_id, "bounce", now + period, args, kwargs)
        except ExecutionClosedError:
            found = None
        # Too late for this start: unless it was begun here, and is done already, there has to be another.
        if found is not None or starter.result() == workflow_id:
            return [str(found or workflow_id), starter.promise_id]


def _spec(rule: _Rule, now: float, period: float) -> dict[str, Any]:
    deadline = None if rule.limit is None else now + rule.limit
    return {
        "workflow": rule.workflow,
        "queue": rule.queue,
        "limits": None if rule.queue is None else declared_limits(rule.queue),
        "timeout": rule.workflow_timeout,
        "until": now + period if deadline is None else min(now + period, deadline),
        "deadline": deadline,
    }
