"""What a workflow instance wants, carried out with durable commands. One method per command of Temporal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.bridge.proto.workflow_commands import ActivityCancellationType

from compat.temporal import activations, failures, ids
from compat.temporal.activity_meta import LATE_TEXT, ActivityMeta
from compat.temporal.children import Children
from compat.temporal.execution_view import ATTRIBUTES_EVENT, MEMO_EVENT
from compat.temporal.fields import attributes_of
from compat.temporal.groups import activity_group
from compat.temporal.payloads import all_to_stored, map_to_stored
from compat.temporal.starts import FOREVER_S, message_to_dict
from compat.temporal.workflow_ends import Ending, ending_of
from compat.temporal.workflow_messages import ABOUT
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from temporalio.api.failure.v1 import Failure
    from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
    from temporalio.bridge.proto.workflow_commands import WorkflowCommand

    from compat.temporal.workflow_driver import WorkflowRun
    from resonate_core import Promise

    Doing = Generator[Any, Any, None]

#: Seconds that an activity's own worker has to report that its time is over, before its promise says so.
_DEADLINE_GRACE_S = 2.0


def mark_patch(patch_id: str) -> str:
    """Leave a record that a run took a patch."""
    return patch_id


class Commands:
    """Carries out the commands of one run."""

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self.ending: Ending | None = None
        self.children = Children(run)
        self.patch_prefix = f"{run.ctx.base}.patch."
        self._timers: dict[int, Promise] = {}
        self._activities: dict[int, tuple[Promise, ActivityMeta]] = {}
        self._patches: set[str] = set()
        self._forced: Ending | None = None

    def carry_out(self, commands: Iterable[WorkflowCommand]) -> Doing:
        """Carry out the commands of one completion; what ends the run comes last."""
        last = None
        for command in commands:
            kind = command.WhichOneof("variant")
            assert kind is not None
            ending = ending_of(kind, getattr(command, kind))
            if ending is not None:
                last = ending
                continue
            action = getattr(self, f"_{kind}", None)
            if action is None:
                raise UnsupportedFeatureError(f"workflow command {kind}", "see the list of supported features")
            yield from action(getattr(command, kind))
        self.ending = last

    def take_forced_ending(self) -> Ending | None:
        """Return the ending that a deadline brought about."""
        return self._forced

    def _wait(self, promise: Promise, told: Any) -> None:
        self._run.waiting[promise.id] = (promise, told)

    # -- timers --------------------------------------------------------------------------------------------------

    def start_run_timer(self) -> Doing:
        """Begin the limit of this run, if it has one."""
        limit = self._run.start.request.workflow_run_timeout.ToTimedelta().total_seconds()
        if not limit:
            return
        timer = yield self._run.ctx.begin_sleep(limit)

        def over(_value: Any, _error: BaseException | None) -> list[WorkflowActivationJob]:
            failure = failures.timeout(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE, "workflow timeout")
            self._forced = Ending("TIMED_OUT", failure=failure)
            return []

        self._wait(timer, over)

    def _start_timer(self, command: Any) -> Doing:
        seq = command.seq
        timer = yield self._run.ctx.begin_sleep(command.start_to_fire_timeout.ToTimedelta())
        self._timers[seq] = timer

        def fired(_value: Any, _error: BaseException | None) -> list[WorkflowActivationJob]:
            self._timers.pop(seq, None)
            return [activations.fire_timer(seq)]

        self._wait(timer, fired)

    def _cancel_timer(self, command: Any) -> Doing:
        timer = self._timers.pop(command.seq, None)
        if timer is not None:
            self._run.waiting.pop(timer.id, None)
            yield self._run.ctx.cancel(timer)

    # -- activities ----------------------------------------------------------------------------------------------

    def _schedule_activity(self, command: Any) -> Doing:
        run = self._run
        meta = ActivityMeta.of(command, run)
        limit = command.schedule_to_close_timeout.ToTimedelta().total_seconds()
        call = run.ctx.begin_rpc(command.activity_type, *all_to_stored(command.arguments)).options(
            target=activity_group(command.task_queue or run.host.task_queue),
            timeout=limit + _DEADLINE_GRACE_S if limit else FOREVER_S,
            tags=meta.tags(),
            parent_close="terminate",
            result_type=Any,
        )
        promise = yield call
        self._track_activity(promise, command.seq, meta, is_local=False)
        if meta.schedule_to_start:
            timer = yield run.ctx.begin_sleep(meta.schedule_to_start)
            self._wait(timer, lambda _value, _error: self._if_not_started(promise))

    def _if_not_started(self, promise: Promise) -> list[WorkflowActivationJob]:
        """The time in which a worker should have taken an activity is over: look, when nothing else is to be done."""
        if promise.id in self._run.waiting:
            self._run.chores.append(self._end_unstarted(promise))
        return []

    def _end_unstarted(self, promise: Promise) -> Doing:
        host, drive = self._run.host, self._run.drive

        async def has_activity_started() -> bool:
            return await host.has_started(promise.id)

        if not (yield self._run.ctx.run(has_activity_started).options(retry_policy=None)):
            late = failures.timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START, LATE_TEXT)
            yield drive.settle(
                promise.id, error=failures.error_of(late, retry_state=int(RetryState.RETRY_STATE_TIMEOUT))
            )

    def _schedule_local_activity(self, command: Any) -> Doing:
        run = self._run
        meta = ActivityMeta.of(command, run, is_local=True)
        arguments = all_to_stored(command.arguments)
        scheduled_ms = round(run.ctx.now().timestamp() * 1000)

        async def local_activity() -> Any:
            return await run.host.local_activity(meta, arguments, scheduled_ms)

        local_activity.__name__ = f"local:{command.activity_type}"
        promise = yield run.ctx.begin_run(local_activity).options(retry_policy=None, parent_close="cancel")
        self._track_activity(promise, command.seq, meta, is_local=True)

    def _track_activity(self, promise: Promise, seq: int, meta: ActivityMeta, *, is_local: bool) -> None:
        self._activities[seq] = (promise, meta)

        def ended(value: Any, error: BaseException | None) -> list[WorkflowActivationJob]:
            self._activities.pop(seq, None)
            failure = None if error is None else meta.failure_of(error)
            result = value
            if is_local and error is None:
                result = value.get("result")
                failure = failures.from_dict(value["failure"]) if "failure" in value else None
            return [activations.resolve_activity(seq, result, failure, is_local=is_local)]

        self._wait(promise, ended)

    def _request_cancel_activity(self, command: Any) -> Doing:
        yield from self._cancel_activity(command.seq, is_local=False)

    def _request_cancel_local_activity(self, command: Any) -> Doing:
        yield from self._cancel_activity(command.seq, is_local=True)

    def _cancel_activity(self, seq: int, *, is_local: bool) -> Doing:
        """Cancel as the activity's cancellation type says: at once, after it ended, or only here."""
        found = self._activities.get(seq)
        if found is None:
            return
        promise, meta = found
        if meta.cancellation_type != ActivityCancellationType.WAIT_CANCELLATION_COMPLETED:
            self._activities.pop(seq)
            self._run.waiting.pop(promise.id, None)
            failure = meta.wrapped(failures.canceled("Cancelled"), RetryState.RETRY_STATE_CANCEL_REQUESTED)
            self._run.local_jobs.append(activations.resolve_activity(seq, None, failure, is_local=is_local))
        if meta.cancellation_type == ActivityCancellationType.ABANDON:
            return
        if is_local:
            self._run.host.cancel_local(meta)
            return
        yield from self.post(promise.id, {"kind": "cancel", "args": ["CANCELLED"]})

    def post(self, target: str, message: dict[str, Any]) -> Generator[Any, Any, BaseException | None]:
        """Send a message and return what went wrong; whoever has ended already needs none."""
        return (yield from self._run.host.post_from(self._run.drive, target, message))

    # -- other workflows -----------------------------------------------------------------------------------------

    def _start_child_workflow_execution(self, command: Any) -> Doing:
        yield from self.children.start(command)

    def _cancel_child_workflow_execution(self, command: Any) -> Doing:
        yield from self.children.cancel(command)

    def _signal_external_workflow_execution(self, command: Any) -> Doing:
        target = command.workflow_execution
        workflow_id = command.child_workflow_id or target.workflow_id
        about = {"headers": map_to_stored(command.headers), "run_id": target.run_id}
        message = {
            "kind": "signal",
            "topic": command.signal_name,
            "args": all_to_stored(command.args),
            "kwargs": {ABOUT: {key: value for key, value in about.items() if value}},
        }
        error = yield from self.post(ids.promise_id(workflow_id), message)
        job = activations.WorkflowActivationJob()
        job.resolve_signal_external_workflow.seq = command.seq
        if error is not None:
            failure = _not_found("Unable to signal external workflow because it was not found")
            job.resolve_signal_external_workflow.failure.CopyFrom(failure)
        self._run.local_jobs.append(job)

    def _cancel_signal_workflow(self, _command: Any) -> Doing:
        """The signal was sent when it was asked for: there is nothing to take back."""
        yield from ()

    def _request_cancel_external_workflow_execution(self, command: Any) -> Doing:
        target = command.workflow_execution
        reason = command.reason or f"cancelled by workflow {self._run.workflow_id}"
        message: dict[str, Any] = {"kind": "cancel", "args": [reason]}
        if target.run_id:
            message["kwargs"] = {ABOUT: {"run_id": target.run_id}}
        error = yield from self.post(ids.promise_id(target.workflow_id), message)
        job = activations.WorkflowActivationJob()
        job.resolve_request_cancel_external_workflow.seq = command.seq
        if error is not None:
            failure = _not_found("Unable to cancel external workflow because not found")
            job.resolve_request_cancel_external_workflow.failure.CopyFrom(failure)
        self._run.local_jobs.append(job)

    # -- answers and records -------------------------------------------------------------------------------------

    def _respond_to_query(self, command: Any) -> Doing:
        yield from self._run.inbox.query_answered(command)

    def _update_response(self, command: Any) -> Doing:
        yield from self._run.inbox.update_answered(command)

    def _set_patch_marker(self, command: Any) -> Doing:
        if command.patch_id in self._patches:
            return
        self._patches.add(command.patch_id)
        call = self._run.ctx.run(mark_patch, command.patch_id).options(retry_policy=None)
        call.id = f"{self.patch_prefix}{command.patch_id}"
        yield call

    def _upsert_workflow_search_attributes(self, command: Any) -> Doing:
        request = self._run.start.request
        named = attributes_of(command)
        for key, value in named.indexed_fields.items() if named is not None else ():
            request.search_attributes.indexed_fields[key].CopyFrom(value)
        yield self._run.ctx.set_event(ATTRIBUTES_EVENT, message_to_dict(request.search_attributes))

    def _modify_workflow_properties(self, command: Any) -> Doing:
        request = self._run.start.request
        for key, value in command.upserted_memo.fields.items():
            if dict(value.metadata) == {"encoding": b"binary/null"}:
                request.memo.fields.pop(key, None)
            else:
                request.memo.fields[key].CopyFrom(value)
        yield self._run.ctx.set_event(MEMO_EVENT, message_to_dict(request.memo))

    def _schedule_nexus_operation(self, _command: Any) -> Doing:
        raise UnsupportedFeatureError("Nexus", "start a child workflow on the other task queue instead")

    def terminate_open(self) -> Doing:
        """Deal with the children of a run that has ended, as their parent close policy says."""
        yield from self.children.close()


def _not_found(message: str) -> Failure:
    return failures.application(message, "ExternalWorkflowExecutionNotFound")
