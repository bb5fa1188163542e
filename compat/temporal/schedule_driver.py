"""Drives one schedule: a durable execution of its own that starts workflows when they are due.

It is served by the workers of the task queue that its workflows run on, and it publishes what it is and what it did, so
that clients can describe it without asking anybody.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import ParseDict
from temporalio.api.enums.v1 import ScheduleOverlapPolicy, WorkflowIdReusePolicy
from temporalio.api.schedule.v1 import Schedule, ScheduleInfo, SchedulePatch
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from compat.temporal import failures
from compat.temporal.payloads import all_to_stored
from compat.temporal.schedule_spec import future_times, next_after
from compat.temporal.starts import WorkflowStart, message_to_dict
from resonate_core import Driver

if TYPE_CHECKING:
    from collections.abc import Generator

    from compat.temporal.host import Host
    from resonate_core import Context, Event, Promise

    Doing = Generator[Any, Any, None]

EVENT: Final = "temporal:schedule"

#: Actions after which the driver begins a new history.
_ACTIONS_PER_RUN: Final = 100
_RECENT: Final = 10
_BUFFER_MAX: Final = 1_000
_CATCHUP_DEFAULT: Final = timedelta(days=365)
_POLICY = ScheduleOverlapPolicy


class ScheduleRun:
    """One schedule while a process holds it.

    Args:
        ctx: context of the durable function.
        host: the worker.
        state: what the schedule is: ``schedule``, ``info``, ``cursor``, ``running``, ``buffer``, ``memo``.
    """

    def __init__(self, ctx: Context, host: Host, state: dict[str, Any]) -> None:
        self._ctx = ctx
        self._host = host
        self._drive = Driver(ctx)
        self._state = state
        self._schedule = ParseDict(state["schedule"], Schedule())
        self._info = ParseDict(state.get("info") or {}, ScheduleInfo())
        self._cursor = datetime.fromisoformat(state["cursor"]) if state.get("cursor") else ctx.now()
        self._running: dict[str, dict[str, str]] = dict(state.get("running") or {})
        self._buffer: list[list[Any]] = list(state.get("buffer") or [])
        self._followed: dict[str, Promise] = {}
        self._actions = 0
        self._is_deleted = False

    # -- the loop ------------------------------------------------------------------------------------------------

    def run(self) -> Generator[Any, Any, None]:
        """Start workflows until the schedule is deleted."""
        if not self._info.HasField("create_time"):
            self._info.create_time.FromDatetime(self._ctx.now().replace(tzinfo=None))
        for promise_id in self._running:
            self._followed[promise_id] = yield self._drive.follow(promise_id)
        patch = self._state.pop("patch", None)
        if patch is not None:
            yield from self._patch(ParseDict(patch, SchedulePatch()))
        for message in (yield self._drive.messages()):
            yield from self._take(message)
        yield from self._publish()
        while not self._is_deleted:
            yield from self._one_event()
            if self._actions >= _ACTIONS_PER_RUN:
                yield self._ctx.continue_as_new(self._snapshot())

    def _one_event(self) -> Doing:
        due = self._next()
        timer = None
        if due is not None:
            wait = max(0.0, (due[1] - self._ctx.now()).total_seconds())
            timer = yield self._ctx.begin_sleep(wait)
        promises = [*self._followed.values(), *([timer] if timer is not None else [])]
        event: Event = yield self._drive.next_event(*promises)
        messages = ([event.message] if event.message is not None else []) + (yield self._drive.messages())
        is_timer = event.message is None and timer is not None and event.index == len(promises) - 1
        if event.message is None and not is_timer:
            yield from self._ended(promises[event.index].id, event)
        if timer is not None and not is_timer:
            yield self._ctx.cancel(timer)
        if is_timer and due is not None:
            yield from self._due(due[0])
        for message in messages:
            yield from self._take(message)
        yield from self._publish()

    def _next(self) -> tuple[datetime, datetime] | None:
        return next_after(self._schedule.spec, self._cursor, self._ctx.id)

    # -- actions -------------------------------------------------------------------------------------------------

    def _due(self, nominal: datetime) -> Doing:
        self._cursor = nominal
        state = self._schedule.state
        if state.paused or (state.limited_actions and state.remaining_actions <= 0):
            return
        window = self._schedule.policies.catchup_window.ToTimedelta() or _CATCHUP_DEFAULT
        if self._ctx.now() - nominal > window:
            self._info.missed_catchup_window += 1
            return
        if state.limited_actions:
            state.remaining_actions -= 1
        yield from self._act(nominal, self._schedule.policies.overlap_policy)

    def _act(self, nominal: datetime, policy: int) -> Doing:
        """Start the action, or do what the overlap policy says while one runs."""
        policy = policy or self._schedule.policies.overlap_policy or _POLICY.SCHEDULE_OVERLAP_POLICY_SKIP
        if not self._running or policy == _POLICY.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL:
            yield from self._start(nominal)
        elif policy == _POLICY.SCHEDULE_OVERLAP_POLICY_SKIP or (
            policy == _POLICY.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE and self._buffer
        ):
            self._info.overlap_skipped += 1
        elif len(self._buffer) >= _BUFFER_MAX:
            self._info.buffer_dropped += 1
        else:
            self._buffer.append([nominal.isoformat(), policy])
            yield from self._stop_running(policy)

    def _stop_running(self, policy: int) -> Doing:
        for promise_id in self._running:
            if policy == _POLICY.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER:
                yield from self._host.post_from(self._drive, promise_id, {"kind": "cancel", "args": ["schedule"]})
            elif policy == _POLICY.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER:
                yield self._drive.settle(promise_id, error=failures.terminated("terminated by schedule"))

    def _start(self, nominal: datetime) -> Doing:
        action = self._schedule.action.start_workflow
        request = StartWorkflowExecutionRequest(namespace="default")
        for field in action.DESCRIPTOR.fields:
            if field.name != "input" and field.name in request.DESCRIPTOR.fields_by_name:
                _copy(action, request, field)
        stamp = nominal.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        request.workflow_id = f"{action.workflow_id}-{stamp}"
        request.workflow_id_reuse_policy = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
        arguments = all_to_stored(action.input.payloads)
        self._actions += 1
        self._info.action_count += 1
        request_id = f"{self._ctx.base}/{self._info.action_count}"

        async def start_action() -> dict[str, str]:
            start = WorkflowStart(request, last_result=self._state.get("last_result"))
            return await self._host.start_child(start, arguments, tags={}, request_id=request_id)

        started = yield self._ctx.run(start_action).options(retry_policy=None)
        result = self._info.recent_actions.add()
        result.schedule_time.FromDatetime(nominal.astimezone(UTC).replace(tzinfo=None))
        result.actual_time.FromDatetime(self._ctx.now().replace(tzinfo=None))
        if "promise_id" in started:
            result.start_workflow_result.workflow_id = request.workflow_id
            result.start_workflow_result.run_id = started["run_id"]
            self._running[started["promise_id"]] = {"id": request.workflow_id, "run": started["run_id"]}
            self._followed[started["promise_id"]] = yield self._drive.follow(started["promise_id"])
        del self._info.recent_actions[:-_RECENT]

    def _ended(self, promise_id: str, event: Event) -> Doing:
        """A workflow that the schedule started has ended."""
        self._running.pop(promise_id, None)
        self._followed.pop(promise_id, None)
        if event.error is None:
            self._state["last_result"] = [event.value]
        if event.error is not None and self._schedule.policies.pause_on_failure:
            self._schedule.state.paused = True
            self._schedule.state.notes = f"paused due to workflow failure: {event.error}"
        if self._buffer and not self._running:
            nominal, policy = self._buffer.pop(0)
            yield from self._act(datetime.fromisoformat(nominal), policy)

    # -- messages ------------------------------------------------------------------------------------------------

    def _take(self, message: Any) -> Doing:
        content = message.args[0] if message.args else {}
        if message.topic == "update":
            self._schedule = ParseDict(content, Schedule())
            self._cursor = self._ctx.now()
            self._info.update_time.FromDatetime(self._ctx.now().replace(tzinfo=None))
        elif message.topic == "patch":
            yield from self._patch(ParseDict(content, SchedulePatch()))
        elif message.topic == "delete":
            self._is_deleted = True
        if message.reply is not None:
            yield from self._publish()
            yield self._drive.settle(message.reply)

    def _patch(self, patch: SchedulePatch) -> Doing:
        if patch.pause:
            self._schedule.state.paused, self._schedule.state.notes = True, patch.pause
        if patch.unpause:
            self._schedule.state.paused, self._schedule.state.notes = False, patch.unpause
        if patch.HasField("trigger_immediately"):
            yield from self._act(self._ctx.now(), patch.trigger_immediately.overlap_policy)
        for backfill in patch.backfill_request:
            cursor = backfill.start_time.ToDatetime(tzinfo=UTC) - timedelta(microseconds=1)
            end = backfill.end_time.ToDatetime(tzinfo=UTC)
            while (due := next_after(self._schedule.spec, cursor, self._ctx.id)) is not None and due[0] <= end:
                cursor = due[0]
                yield from self._act(cursor, backfill.overlap_policy)

    # -- state ---------------------------------------------------------------------------------------------------

    def _publish(self) -> Doing:
        del self._info.future_action_times[:]
        for time in future_times(self._schedule.spec, self._cursor, self._ctx.id):
            self._info.future_action_times.add().FromDatetime(time)
        del self._info.running_workflows[:]
        for found in self._running.values():
            self._info.running_workflows.add(workflow_id=found["id"], run_id=found["run"])
        yield self._ctx.set_event(EVENT, self._snapshot())

    def _snapshot(self) -> dict[str, Any]:
        return {
            **self._state,
            "schedule": message_to_dict(self._schedule),
            "info": message_to_dict(self._info),
            "cursor": self._cursor.isoformat(),
            "running": self._running,
            "buffer": self._buffer,
        }


def _copy(source: Any, target: Any, field: Any) -> None:
    if field.message_type is None:
        setattr(target, field.name, getattr(source, field.name))
    elif source.HasField(field.name):
        getattr(target, field.name).CopyFrom(getattr(source, field.name))
