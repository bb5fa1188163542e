"""Drives one run of a workflow: temporalio's own instance above, durable promises below.

Theory
======

temporalio's workflow instance is a deterministic event loop: an *activation* tells it what happened (a timer fired, an
activity ended, a signal came), and its *completion* says what it wants (start a timer, schedule an activity, finish).
The driver is a durable function that turns commands into promises, waits for one event at a time, and turns events into
activations. Which event came, and when, is recorded by the runtime, so a replayed driver activates a fresh instance
with the same activations and gets it into the same state.

Three rules keep that exact:

* Time in an activation is the recorded time of its event, the seed of random numbers is derived from the run id.
* Everything the driver does is a durable command with a position; nothing else may influence what it does.
* A run that fails its task (a bug, a codec that is down) is given back and tried again, as Temporal does; nothing of
  that attempt is recorded.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation

from compat.temporal import activations, ids
from compat.temporal.history import HistoryWriter
from compat.temporal.private import Instance
from compat.temporal.starts import WorkflowStart, start_of
from compat.temporal.workflow_commands import Commands
from compat.temporal.workflow_messages import ABOUT, Inbox
from resonate_core import Driver

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
    from temporalio.bridge.proto.workflow_commands import QueryResult
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

    from compat.temporal.host import Host
    from compat.temporal.workflow_ends import Ending
    from resonate_core import Context, Event, Promise

    Jobs = list[WorkflowActivationJob]
    #: Makes jobs of how a promise was settled.
    Told = Callable[[Any, BaseException | None], Jobs]

_logger = logging.getLogger("compat.temporal")

#: Changes that workflow code must be replayed with: what a new run of temporalio does, an old one must do again.
_FLAGS = (1,)
#: Events of one run after which Temporal suggests to continue as new.
_SUGGEST_AFTER = 4_096


class WorkflowRun:
    """One run of a workflow while a process holds it.

    Args:
        ctx: context of the durable function.
        host: the worker.
        arguments: stored arguments.
        start: what the run was started with, None for the first run of an execution.
    """

    def __init__(self, ctx: Context, host: Host, arguments: tuple[Any, ...], start: dict[str, Any] | None) -> None:
        info = ctx.info
        self.ctx = ctx
        self.host = host
        self.drive = Driver(ctx)
        self.promise_id = ctx.execution.id
        self.workflow_id = ids.workflow_id(ctx.execution.logical_id)
        self.run_id = ids.run_id(self.promise_id, info.run)
        self.arguments = arguments
        self.start = (
            WorkflowStart.from_dict(start)
            if start is not None
            else start_of(
                info.tags, workflow_id=self.workflow_id, workflow_type=info.function, task_queue=host.task_queue
            )
        )
        self.waiting: dict[str, tuple[Promise, Told]] = {}
        self.local_jobs: deque[WorkflowActivationJob] = deque()
        self.chores: deque[Generator[Any, Any, None]] = deque()
        self.commands = Commands(self)
        self.inbox = Inbox(self)
        self.history_length = 0
        self._instance = Instance(host.workflow_worker)
        self._is_offline = ctx.execution.version == 0
        self.history = HistoryWriter() if self._is_offline else None
        if self._is_offline:
            host.replaying = self
        ctx.execution.instance = self

    # -- the loop ------------------------------------------------------------------------------------------------

    def run(self) -> Generator[Any, Any, Any]:
        """Run until the workflow ends; the value is what is stored."""
        if self.start.request.HasField("workflow_start_delay"):
            yield self.ctx.sleep(self.start.request.workflow_start_delay.ToTimedelta())
        yield from self.commands.start_run_timer()
        if self.history is not None:
            self.history.begin(self, self._utc_now())
        jobs = yield from self._first_jobs()
        try:
            while True:
                ending = yield from self._activate(jobs)
                if ending is not None:
                    return (yield from ending.carry_out(self))
                jobs = yield from self._next_jobs()
        finally:
            if not self._is_offline:  # there somebody wants to ask the instance something
                self.evict()

    def evict(self) -> None:
        """Tear the instance down."""
        self._instance.evict(activations.eviction(self.run_id))

    def query(self, message: Mapping[str, Any]) -> QueryResult:
        """Ask the instance of a replayed run.

        Raises:
            RuntimeError: the run cannot be brought into its last state with this code.
        """
        about = message["kwargs"].get(ABOUT) or {}
        job = activations.query("closed", message["topic"], message["args"], about.get("headers") or {})
        completion = self._instance.activate(self._activation([job]))
        for command in completion.successful.commands:
            if command.HasField("respond_to_query"):
                return command.respond_to_query
        raise RuntimeError(f"query {message['topic']!r} was not answered: {completion.failed.failure.message}")

    def _first_jobs(self) -> Generator[Any, Any, Jobs]:
        jobs = [
            activations.patch_known(id.removeprefix(self.commands.patch_prefix))
            for id in self.drive.recorded(self.commands.patch_prefix)
        ]
        jobs.append(activations.initialize(self.start, self.arguments, self.run_id, self.ctx.now()))
        if self.start.message is not None:
            jobs += yield from self.inbox.first_jobs(self.start.message)
        jobs += yield from self._arrived()
        return jobs

    def _arrived(self) -> Generator[Any, Any, Jobs]:
        jobs: Jobs = []
        for message in (yield self.drive.messages()):
            jobs += self.inbox.jobs_of(message)
        return jobs

    def _next_jobs(self) -> Generator[Any, Any, Jobs]:
        if self.local_jobs:
            return [self.local_jobs.popleft()]
        while True:
            while self.chores:
                yield from self.chores.popleft()
            promises = [promise for promise, _ in self.waiting.values()]
            event: Event = yield self.drive.next_event(*promises)
            self.history_length += 3
            jobs = self._jobs_of(event, promises) + (yield from self._arrived())
            if jobs:
                return jobs
            ending = self.commands.take_forced_ending()
            if ending is not None:
                self.commands.ending = ending
                return []

    def _jobs_of(self, event: Event, promises: list[Promise]) -> Jobs:
        if event.message is not None:
            return self.inbox.jobs_of(event.message)
        _, told = self.waiting.pop(promises[event.index].id)
        return told(event.value, event.error)

    # -- activating ----------------------------------------------------------------------------------------------

    def _activate(self, jobs: Jobs) -> Generator[Any, Any, Ending | None]:
        """Activate the instance and carry out what it wants; queries have activations of their own."""
        if self.commands.ending is not None:
            return self.commands.ending
        queries = [job for job in jobs if job.HasField("query_workflow")]
        others = [job for job in jobs if not job.HasField("query_workflow")]
        if others:
            yield from self._activate_once(others)
        for job in queries:
            if self.commands.ending is None:
                yield from self._activate_once([job])
        return self.commands.ending

    def _activate_once(self, jobs: Jobs) -> Generator[Any, Any, None]:
        completion = self._instance.activate(self._activation(jobs))
        if self.history is not None:
            self.history.activated(jobs, completion, self._utc_now())
        if completion.HasField("failed"):
            yield from self._task_failed(jobs, completion)
            return
        yield from self.commands.carry_out(completion.successful.commands)

    def _utc_now(self) -> dt.datetime:
        return self.ctx.now().astimezone(dt.UTC).replace(tzinfo=None)

    def _activation(self, jobs: Jobs) -> WorkflowActivation:
        activation = WorkflowActivation(run_id=self.run_id, is_replaying=self._is_offline or self.drive.is_replaying)
        activation.timestamp.FromDatetime(self._utc_now())
        self.history_length += 1 + len(jobs)
        activation.history_length = self.history_length
        activation.history_size_bytes = self.history_length * 200
        activation.continue_as_new_suggested = self.history_length >= _SUGGEST_AFTER
        activation.available_internal_flags.extend(_FLAGS)
        activation.jobs.extend(jobs)
        return activation

    def _task_failed(self, jobs: Jobs, completion: WorkflowActivationCompletion) -> Generator[Any, Any, None]:
        failure = completion.failed.failure
        if len(jobs) == 1 and jobs[0].HasField("query_workflow"):
            yield from self.inbox.answer_query(jobs[0].query_workflow.query_id, None, failure)
            return
        text = f"{failure.application_failure_info.type or 'error'}: {failure.message}"
        _logger.error("workflow task of %s failed and will be tried again: %s", self.workflow_id, text)
        yield self.drive.give_up(f"workflow task failed: {text}")
