"""What ``DBOS.launch`` starts: a Resonate client and worker that runs the registered workflows."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.async_body import AsyncBody
from compat.dbos.body import Body
from compat.dbos.context import WorkflowPlace, step_here, take_workflow_id, wishes, workflow_here
from compat.dbos.datasource import SQLAlchemyDatasource
from compat.dbos.debounced import Debounced
from compat.dbos.error import (
    DBOSConflictingWorkflowError,
    DBOSException,
    DBOSQueueDeduplicatedError,
    DBOSWorkflowIDInUseError,
)
from compat.dbos.functions import Workflow, one_step_name, receiver_of, workflows
from compat.dbos.queues import Queue, Wanted, wanted_in
from compat.dbos.roles import auth_here, auth_of, auth_tags
from compat.dbos.scheduling import apply_decorated
from compat.dbos.statuses import TAG_ATTRIBUTES, TAG_PARENT, TAG_TIMEOUT, TAG_TURN_TIMEOUT, Statuses
from compat.dbos.ticker import Ticker
from compat.unsupported import UnsupportedFeatureError
from resonate_core import (
    AlreadyStartedError,
    Cancelled,
    DriverHost,
    Resonate,
    UsageError,
    all_marked,
    claim_place,
    durable,
    durable_mark,
    step_mark,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.dbos.body import Operation

_logger = logging.getLogger("dbos")
GROUP: Final = "dbos"
#: Names of functions of the shim and of the runtime.
_OWN: Final = ("dbos.", "resonate.")
#: Seconds after which another process takes over what a dead one ran.
LEASE_S = 10.0


class Runtime:
    """One launched DBOS.

    Args:
        config: as given to ``DBOS(config=...)``.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.client = Resonate(_url_of(config), group=GROUP, ttl=LEASE_S)
        self.host = DriverHost(self.client)
        self.statuses = Statuses(self.host, self.workflow_name)
        self.is_launched = False
        #: Name of a rewritten function -> its name as a workflow.
        self._migrated: dict[str, str] = {}

    def launch(self) -> None:
        """Run what is registered, and what other processes have left."""
        self.client.register(Debounced, Ticker)
        for workflow in list(workflows.values()):
            self.register(workflow)
        self._register_migrated()
        self.client.start()
        self.is_launched = True
        apply_decorated(self)

    @functools.cached_property
    def datasource(self) -> SQLAlchemyDatasource:
        """The application's database, as the configuration names it.

        Raises:
            DBOSException: it names none.
        """
        url = self.config.get("application_database_url") or self.config.get("database_url")
        if not url:
            raise DBOSException("transactions need application_database_url in the config")
        return SQLAlchemyDatasource.create(str(url))

    def _register_migrated(self) -> None:
        """Let this process run what is rewritten already, so that code which is not can start it."""
        for thing in all_marked():
            is_inner = "." in getattr(thing, "__qualname__", "")
            if is_inner or str(getattr(thing, "__module__", "")).startswith(("compat.", "resonate_core.")):
                continue
            try:
                self.client.register(thing)
            except UsageError as error:  # another one has its name, or its mark is wrong: its own client says so
                _logger.info("not served to DBOS's calls: %s", error)
                continue
            mark, step = durable_mark(thing), step_mark(thing)
            if mark is not None:
                self._migrated[mark.name] = mark.name
            elif step is not None:
                self._migrated[step.name] = one_step_name(step.name)

    def workflow_name(self, function: str) -> str | None:
        """Return DBOS's name of what runs under a name here, None if it is no workflow."""
        if not self.is_launched:  # a client's: whatever is not part of a runtime is a workflow to it
            return None if not function or function.startswith(_OWN) else function
        return function if function in workflows else self._migrated.get(function)

    def register(self, workflow: Workflow) -> None:
        """Let this process run a workflow."""
        self.client.register(durable(name=workflow.name)(_driver_of(workflow)))

    def destroy(self, timeout: float) -> None:
        """Stop; what runs goes on in other processes, or at the next launch."""
        self.client.stop(timeout=timeout)
        if "datasource" in vars(self):
            self.datasource.engine.dispose()
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

    def enqueue(self, queue: Queue, workflow: Workflow, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Start a workflow that waits for its turn; return its id.

        Raises:
            DBOSQueueDeduplicatedError: a workflow with this deduplication id is in the queue.
        """
        return self.enqueue_as(wanted_in(queue), workflow, args, kwargs)

    def enqueue_as(self, where: Wanted, workflow: Workflow, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Do the same with what is wished for."""
        place, chosen, args, kwargs = _asked_for(workflow, args, kwargs)
        if place is None:
            return self.enqueue_root(where, workflow, chosen or str(uuid.uuid4()), args, kwargs)
        return str(place.asker.ask(self._enqueuing(place, where, workflow, chosen, (args, kwargs))))

    async def enqueue_async(
        self, where: Wanted, workflow: Workflow, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> str:
        """Do the same from async code."""
        place, chosen, args, kwargs = _asked_for(workflow, args, kwargs)
        if place is None:
            workflow_id = chosen or str(uuid.uuid4())
            return await asyncio.to_thread(self.enqueue_root, where, workflow, workflow_id, args, kwargs)
        return str(await place.asker.ask_async(self._enqueuing(place, where, workflow, chosen, (args, kwargs))))

    def enqueue_root(self, where: Wanted, workflow: Workflow, workflow_id: str, args: Any, kwargs: Any) -> str:
        """Enqueue from outside workflows; return the id, or that of the workflow that has the deduplication id."""
        _check_limit(where, workflow)
        owner = claim_place(self.client, where.place, workflow_id, where.delay or 0)
        if owner != workflow_id:
            return _existing(where, owner)
        options = where.options
        options["tags"] |= _tags_here(workflow)
        return self._begin(workflow, workflow_id, args, kwargs, options)

    def _enqueuing(
        self, place: WorkflowPlace, where: Wanted, workflow: Workflow, chosen: str | None, call: tuple[Any, Any]
    ) -> Operation:
        args, kwargs = call
        child_id = chosen or f"{place.id}-{place.next_step_id()}"
        if chosen is not None:
            place.next_step_id()
        is_limited, own_tags = wishes().has_timeout, _tags_here(workflow)
        _check_limit(where, workflow)

        def claim() -> str:
            return claim_place(self.client, where.place, child_id, where.delay or 0)

        def operation(ctx: Any) -> Any:
            timeout = where.timeout if is_limited else place.time_left(ctx.now().timestamp())
            if where.place.dedup is not None:
                owner = yield ctx.run(claim).options(retry_policy=None)
                if owner != child_id:
                    return _existing(where, owner)
            options = replace(where, timeout=timeout).options
            if workflow.is_rewritten:
                options["timeout"] = timeout  # inherited: the same instant, whoever looks at it
            tags = {TAG_PARENT: place.id, **own_tags, **options["tags"]}
            command = ctx.detached(workflow.name, *args, **kwargs)
            place.children[child_id] = yield command.options(**{**options, "id": child_id, "tags": tags})
            return child_id

        return operation

    def _start_root(self, workflow: Workflow, workflow_id: str, args: Any, kwargs: Any) -> str:
        limit, tags = wishes().timeout, _tags_here(workflow)
        options: dict[str, Any] = {"tags": tags}
        if limit is not None:
            options = {"timeout": limit, "tags": {TAG_TIMEOUT: str(limit), **tags}}
        return self._begin(workflow, workflow_id, args, kwargs, options)

    def _begin(self, workflow: Workflow, workflow_id: str, args: Any, kwargs: Any, options: dict[str, Any]) -> str:
        if wishes().is_new:
            options = {**options, "if_exists": "fail"}
        try:
            self.client.options(**options).begin_rpc(workflow_id, workflow.name, *args, **kwargs)
        except AlreadyStartedError as error:
            raise DBOSWorkflowIDInUseError(f"workflow id {workflow_id!r} is in use") from error
        except UsageError as error:
            if "belongs to an execution of" not in str(error):
                raise
            raise DBOSConflictingWorkflowError(str(error)) from error
        return workflow_id


def _check_limit(where: Wanted, workflow: Workflow) -> None:
    """Refuse a limit that begins with the turn for a function that knows limits from its start only.

    Raises:
        UnsupportedFeatureError: it is one.
    """
    if where.timeout is not None and workflow.is_rewritten:
        raise UnsupportedFeatureError(
            f"SetWorkflowTimeout around the enqueuing of {workflow.name}, which is rewritten",
            "limit the steps of the function (timeout=...), or start it with resonate.options(timeout=...)",
        )


def _existing(where: Wanted, owner: str) -> str:
    if where.policy == "return-existing":
        return owner
    raise DBOSQueueDeduplicatedError(
        f"workflow {owner} with deduplication id {where.place.dedup!r} is in queue {where.place.name!r} already"
    )


def _tags_here(workflow: Workflow) -> dict[str, str]:
    """Return the tags of a start that come from the blocks around it.

    Raises:
        DBOSNotAuthorizedError: the caller must not start it.
    """
    attributes = wishes().attributes
    return {
        **auth_tags(workflow.function),
        **({TAG_ATTRIBUTES: json.dumps(attributes)} if attributes is not None else {}),
    }


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
    is_limited, chosen_limit, own_tags = wishes().has_timeout, wishes().timeout, _tags_here(workflow)

    def operation(ctx: Any) -> Any:
        limit = chosen_limit if is_limited else place.time_left(ctx.now().timestamp())
        tags = {TAG_PARENT: place.id, **own_tags, **({} if limit is None else {TAG_TIMEOUT: str(limit)})}
        command = ctx.detached(workflow.name, *args, **kwargs).options(id=child_id, timeout=limit, tags=tags)
        place.children[child_id] = yield command
        return child_id

    if chosen is not None:
        place.next_step_id()
    return operation


def _driver_of(workflow: Workflow) -> Callable[..., Any]:
    def driven(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        limit = ctx.info.tags.get(TAG_TURN_TIMEOUT)
        seconds = None if limit is None else float(limit)

        def run(inner: Any) -> Any:
            deadline = _deadline(ctx, seconds)

            def call() -> Any:
                workflow_here.set(WorkflowPlace(ctx.id, body, deadline=deadline))
                auth_here.set(auth_of(ctx.info.tags))
                return workflow.bound(args, kwargs)()

            body: Body = AsyncBody(call, ctx.id) if workflow.is_async else Body(call, ctx.id)
            return (yield from body.driven(inner))

        return (yield from run(ctx) if seconds is None else _within(ctx, seconds, run))

    driven.__name__ = workflow.name
    return driven


def _deadline(ctx: Any, seconds: float | None) -> float | None:
    """Return when a workflow that begins now is cancelled, seconds since the epoch; None for no limit."""
    if seconds is not None:
        return float(ctx.now().timestamp() + seconds)
    return ctx.info.timeout if TAG_TIMEOUT in ctx.info.tags else None


def _within(ctx: Any, seconds: float, run: Callable[[Any], Any]) -> Any:
    """Run a body for some seconds at the most; then it is cancelled."""
    work = yield ctx.begin_run(run).options(retry_policy=None)
    timer = yield ctx.begin_sleep(seconds)
    index, value = yield ctx.select(work, timer)
    if index == 0:
        return value
    yield ctx.cancel(work)
    yield ctx.gather(work, return_exceptions=True)
    raise Cancelled(f"the workflow was not finished within {seconds:g} s")


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
