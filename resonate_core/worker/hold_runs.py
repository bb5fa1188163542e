"""Runs of one execution: the first, and those after each continue-as-new.

The promise, its id, its task and its inbox stay; what starts over is the function. Run N's arguments are the record
``E.run.N``, and its children stand under that id, so a run replays only its own history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.errors import CodecError
from resonate_core.ids import logical_id, run_id
from resonate_core.limits import WRITE_RETRY_MS
from resonate_core.options import CallOptions
from resonate_core.protocol.records import TAG_BRANCH, TAG_ORIGIN, TAG_PARENT, TAG_SCOPE
from resonate_core.protocol.requests import FenceSettled, PromiseCreate, PromiseSearch, PromiseSettle, TaskFulfill
from resonate_core.retry import from_wire
from resonate_core.scheduler.effects import Write
from resonate_core.scheduler.execution import Execution
from resonate_core.worker.hold_inbox import take_opening

if TYPE_CHECKING:
    from resonate_core.codec import Invocation
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Response
    from resonate_core.registry import Registered
    from resonate_core.worker.hold import Hold

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
_PAGE = 1000


class Runs:
    """Builds the execution of the right run from records, and moves on to the next one."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._function: Registered | None = None
        self._first: Arguments = ((), {})
        self._opts = CallOptions()
        self._travelled: dict[str, Any] = {}
        self._run = 0
        self._call: Invocation | None = None
        self._begun_ms = 0

    def build(
        self,
        function: Registered,
        arguments: Arguments,
        opts: CallOptions,
        preload: list[PromiseRecord],
        travelled: dict[str, Any],
    ) -> None:
        """Start the newest run over its records; ``travelled`` came with the first call beside its arguments."""
        self._function, self._first, self._opts, self._travelled = function, arguments, opts, travelled
        prefix = run_id(self._hold.id, 1)[:-1]
        runs = {int(tail): record for record in preload if (tail := _tail(record.id, prefix)) is not None}
        others = [record for record in preload if not record.id.startswith(prefix)]
        if not runs:
            self._start(others)
            return
        self._run = max(runs)
        self._call = self._hold.env.codec.decode_invocation(runs[self._run].value)
        self._begun_ms = runs[self._run].created_at
        self._fetch(others, None, [])

    def _fetch(self, base: list[PromiseRecord], cursor: str | None, found: list[PromiseRecord]) -> None:
        """Read the records of a run that is not the first: they have a branch of their own."""
        tags = {TAG_BRANCH: run_id(self._hold.id, self._run)}

        def answered(responses: list[Response]) -> None:
            if responses[0].status == 0:
                self._hold.worker.after(WRITE_RETRY_MS, lambda: self._fetch(base, cursor, found))
                return
            found.extend(responses[0].promises)
            if responses[0].cursor:
                self._fetch(base, responses[0].cursor, found)
                return
            inbox = [record for record in base if self._hold.feed.takes(record)]
            self._start([*inbox, *found])

        self._hold.worker.submit([PromiseSearch(tags=tags, limit=_PAGE, cursor=cursor)], answered)

    def _start(self, preload: list[PromiseRecord], *, follows: bool = False) -> None:
        hold = self._hold
        if hold.is_gone or self._function is None:
            return
        about = self._call.extra if self._call is not None else {}
        next_slot = about.get("next_slot", 0)
        execution = Execution(
            hold.env,
            hold.record,
            self._function,
            self._arguments(),
            version=hold.version,
            logical_id=logical_id(hold.id),
            run=self._run,
            first_slot=next_slot if follows else 0,
            event_counts=dict(about.get("events") or {}),
            opts=self._opts,
        )
        execution.travelled = self._travelled
        execution.event_is_replayed = execution.catching_up = hold.version > 1 and not follows
        execution.now_ms = max(execution.now_ms, self._begun_ms)
        execution.inbox.skip_read(next_slot, about.get("unread") or [])
        if not follows:
            take_opening(execution)
        hold.ending_over()
        hold.execution_ready(execution, preload)

    def _arguments(self) -> Arguments:
        if self._call is None or self._function is None:
            return self._first
        return self._hold.env.codec.decode_arguments(self._call, self._function.callable, skip=self._function.lead)

    def reload(self) -> None:
        """Build the same run again from what is stored."""
        self._fetch_first(None, [])

    def _fetch_first(self, cursor: str | None, found: list[PromiseRecord]) -> None:
        tags = {TAG_BRANCH: self._hold.id}

        def answered(responses: list[Response]) -> None:
            if responses[0].status == 0:
                self._hold.worker.after(WRITE_RETRY_MS, lambda: self._fetch_first(cursor, found))
                return
            found.extend(record for record in responses[0].promises if record.id != self._hold.id)
            if responses[0].cursor:
                self._fetch_first(responses[0].cursor, found)
            elif self._run:
                self._fetch(found, None, [])
            else:
                self._start(found)

        self._hold.worker.submit([PromiseSearch(tags=tags, limit=_PAGE, cursor=cursor)], answered)

    def continue_with(self, execution: Execution, arguments: Arguments) -> None:
        """Record the next run's arguments, then start it."""
        hold, codec = self._hold, self._hold.env.codec
        inbox = execution.inbox
        about = {"next_slot": inbox.next_slot, "unread": inbox.unread_slots(), "events": execution.event_counts}
        tags = {TAG_ORIGIN: execution.origin, TAG_BRANCH: hold.id, TAG_PARENT: hold.id, TAG_SCOPE: "local"}
        create = PromiseCreate(run_id(hold.id, self._run + 1), hold.record.timeout_at, tags=tags)
        try:
            value = codec.encode_invocation(execution.function.name, *arguments, execution.function.version, about)
        except CodecError as error:
            settle = PromiseSettle(hold.id, "rejected", codec.encode_error(error))
            hold.writes.add([Write(TaskFulfill(hold.id, hold.version, settle), lambda _: hold.ended())])
            hold.writes.flush()
            return
        kept = inbox.unread()

        def recorded(response: Response) -> None:
            self._run += 1
            self._begun_ms = response.promise.created_at if response.promise is not None else self._begun_ms
            self._call = codec.decode_invocation(value)
            self._start([], follows=True)
            if hold.execution is not None:
                for message in kept:
                    hold.execution.unread_message(message)

        hold.writes.add([Write(FenceSettled(hold.id, hold.version, create, "resolved", value), recorded)])
        hold.writes.flush()


def _tail(promise_id: str, prefix: str) -> str | None:
    """Return the number of a run's own record; children of a run have more behind it."""
    tail = promise_id[len(prefix) :] if promise_id.startswith(prefix) else ""
    return tail if tail.isdigit() else None


def options_of(function: Registered, extra: dict[str, Any]) -> CallOptions:
    """Return the options of an execution: those of its mark, overridden by what travelled with the call."""
    changes = {name: value for name, value in function.options.items() if name in CallOptions.__dataclass_fields__}
    if "retryPolicy" in extra:
        changes["retry_policy"] = from_wire(extra["retryPolicy"])
    if extra.get("attemptTimeout") is not None:
        changes["attempt_timeout"] = extra["attemptTimeout"]
    if extra.get("heartbeatTimeout") is not None:
        changes["heartbeat_timeout"] = extra["heartbeatTimeout"]
    return CallOptions().merged(changes)
