"""One worker's hold on Resonate: a member of the group of its task queue, another of the group of its activities.

Temporal keeps tasks of workflows and of activities apart, even on one task queue, so that a process may serve only one
kind. Here they are two groups: ``QUEUE`` and ``QUEUE:activities``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from typing import TYPE_CHECKING, Any

from compat.temporal import failures
from compat.temporal.activity_driver import ActivityRun, limits_of, start_of
from compat.temporal.activity_meta import STARTED_EVENT
from compat.temporal.activity_steps import as_step
from compat.temporal.groups import activity_group, workflow_group
from compat.temporal.migrated import Migrated
from compat.temporal.payloads import to_stored
from compat.temporal.private import workflow_worker_of
from compat.temporal.retries import decide
from compat.temporal.schedule_driver import ScheduleRun
from compat.temporal.starts import HOST_DEPENDENCY, START_ARGUMENT, TAG_KIND
from compat.temporal.workflow_driver import WorkflowRun
from compat.temporal.workflow_messages import with_about
from resonate_core import Context, Driver, DriverHost, Resonate, ResonateCoreError, driver, durable_mark

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from concurrent.futures import Future

    from temporalio.worker import Worker

    from compat.temporal.activity_meta import ActivityMeta
    from compat.temporal.activity_runner import ActivityRunner
    from compat.temporal.connection import Connection
    from compat.temporal.starts import WorkflowStart

_logger = logging.getLogger("compat.temporal")


@driver
def temporal_task(ctx: Context, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
    """Run whatever Temporal would have called a task: a workflow or an activity, by its tags."""
    host: Host = ctx.get_dependency(HOST_DEPENDENCY)
    kind = ctx.info.tags.get(TAG_KIND)
    if kind == "activity":
        return (yield from ActivityRun(ctx, host, args).run())
    if kind == "schedule":
        return (yield from ScheduleRun(ctx, host, args[0]).run())
    if kind == "kind":
        return host.runs_migrated(args[0])
    if kind == "history":

        async def told() -> Any:
            return await asyncio.to_thread(host.connection.replays.replay_to_dicts, host, *args)

        return (yield ctx.run(told).options(retry_policy=None))
    if kind == "query":

        async def answer() -> Any:
            return await host.query_closed(*args)

        return (yield ctx.run(answer).options(retry_policy=None))
    return (yield from WorkflowRun(ctx, host, args, kwargs.get(START_ARGUMENT)).run())


class Host:
    """What the drivers of one worker need.

    Args:
        connection: of the worker's client.
        task_queue: that the worker serves.
        runner: runs attempts of activities.
        identity: of the worker, shown in failures.
    """

    def __init__(self, connection: Connection, task_queue: str, runner: ActivityRunner, identity: str) -> None:
        self.connection = connection
        self.task_queue = task_queue
        self.runner = runner
        self.identity = identity
        self.incarnation = str(uuid.uuid4())
        self.migrated = Migrated()
        self.workflow_worker: Any = None
        #: The run that is replayed in memory at the moment, whatever becomes of the replay.
        self.replaying: WorkflowRun | None = None
        self._members: list[Resonate] = []
        self._started: set[bytes] = set()
        self._lock = threading.Lock()
        self._cancelled_local: set[tuple[str, str]] = set()

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self, worker: Worker, *, workflows: bool, activities: bool) -> None:
        """Begin to take tasks."""
        self.workflow_worker = workflow_worker_of(worker)
        self.runner.bind(asyncio.get_running_loop())
        if workflows or self.migrated != Migrated():
            member = self._join(workflow_group(self.task_queue), is_temporal=workflows)
            self.migrated.register(member, lambda one: as_step(one, task_queue=self.task_queue, client=worker.client))
        if activities:
            self._join(activity_group(self.task_queue))
        for member in self._members:
            await member.aio.start()

    def _join(self, group: str, *, is_temporal: bool = True) -> Resonate:
        """Become a member of a group; what nobody has registered there is temporalio's, where it has any such thing."""
        member = self.connection.sibling(group)
        if is_temporal:
            DriverHost(member).register_fallback(temporal_task)
        member.set_dependency(HOST_DEPENDENCY, self)
        self._members.append(member)
        return member

    async def stop(self, timeout_s: float) -> None:
        """Take nothing new, give running steps some time, give the rest back."""
        members, self._members = self._members, []
        await asyncio.gather(*(member.aio.stop(timeout_s) for member in members))

    def runs_migrated(self, name: str | None) -> bool:
        """Whether plain Resonate code runs the workflows of a name here."""
        return any((mark := durable_mark(thing)) is not None and mark.name == name for thing in self.migrated.workflows)

    def forget_replay(self) -> None:
        """Another run will be replayed."""
        self.replaying = None

    # -- for drivers ---------------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """Return the time of the store's clock."""
        return self.connection.now_ms()

    def is_first_start(self, token: bytes) -> bool:
        """Whether an attempt has not begun in this process before."""
        with self._lock:
            is_first = token not in self._started
            self._started.add(token)
            return is_first

    def forget_start(self, token: bytes) -> None:
        """An attempt has its outcome: its beginning does not matter any more."""
        with self._lock:
            self._started.discard(token)

    def post_quietly(self, promise_id: str, message: Mapping[str, Any]) -> None:
        """Send a message whose loss only costs progress details."""
        future = self.connection.post(promise_id, message)

        def told(done: Future[None]) -> None:
            if done.exception() is not None:
                _logger.debug("%s was not told: %s", promise_id, done.exception())

        future.add_done_callback(told)

    async def has_started(self, promise_id: str) -> bool:
        """Whether a worker has taken an activity."""
        return await asyncio.wrap_future(self.connection.host.event(promise_id, STARTED_EVENT)) is not None

    def post_from(
        self, drive: Driver, target: str, message: dict[str, Any]
    ) -> Generator[Any, Any, ResonateCoreError | None]:
        """Send a message from a driver and return what went wrong; whoever has ended already needs none."""
        try:
            yield drive.post(target, with_about(message))
        except ResonateCoreError as error:
            return error
        return None

    async def start_child(
        self, start: WorkflowStart, arguments: list[Any], *, tags: dict[str, str], request_id: str
    ) -> dict[str, str]:
        """Start a child once, however often this is called; empty if its id is taken."""
        return await self.connection.start_child(start, arguments, tags=tags, request_id=request_id)

    async def query_closed(self, promise_id: str, message: dict[str, Any]) -> Any:
        """Answer a query to a workflow that has ended: replay it in memory and ask its last state.

        Raises:
            ApplicationError: what the query handler raised.
        """
        return await asyncio.to_thread(self._replay_and_ask, promise_id, message)

    def _replay_and_ask(self, promise_id: str, message: dict[str, Any]) -> Any:
        """Do it outside the event loop: an activation is an event loop of its own."""
        record = self.connection.host.get(promise_id).result()
        assert record is not None
        execution = DriverHost(self._members[0]).replayed(record).result()
        run: WorkflowRun = execution.instance
        try:
            result = run.query(message)
        finally:
            run.evict()
            execution.close_generators()
        if result.HasField("failed"):
            raise failures.error_of(result.failed)
        return to_stored(result.succeeded.response)

    # -- local activities ----------------------------------------------------------------------------------------

    def cancel_local(self, meta: ActivityMeta) -> None:
        """Ask a local activity to stop."""
        self._cancelled_local.add((meta.run_id, meta.activity_id))
        self.runner.cancel(_local_token(meta), "CANCELLED")

    async def local_activity(self, meta: ActivityMeta, arguments: list[Any], scheduled_ms: int) -> dict[str, Any]:
        """Run a local activity, retries included, within this one step."""
        attempt = 1
        details: list[Any] = []
        while True:
            start = start_of(meta, arguments, scheduled_ms=scheduled_ms, attempt=attempt, details=details)
            limits = limits_of(meta, scheduled_ms=scheduled_ms, now_ms=self.now_ms())
            outcome = await self.runner.attempt(_local_token(meta), start, limits)
            if "failure" not in outcome:
                return outcome
            failure = failures.from_dict(outcome["failure"])
            left = meta.schedule_to_close - (self.now_ms() - scheduled_ms) / 1000 if meta.schedule_to_close else None
            delay, state = decide(meta.retry_policy, attempt=attempt, failure=failure, left_s=left)
            if delay is None or (meta.run_id, meta.activity_id) in self._cancelled_local:
                return {"failure": failures.to_dict(meta.wrapped(failure, state, self.identity))}
            await asyncio.sleep(delay)
            attempt += 1


def _local_token(meta: ActivityMeta) -> bytes:
    return f"local/{meta.run_id}/{meta.activity_id}".encode()
