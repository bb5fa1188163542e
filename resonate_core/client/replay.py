"""Replaying an execution from its records, without holding its task and without writing anything.

What the records do not decide is where the replay ends: no step runs, no message is sent, no promise is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resonate_core.client.operations import Operation, checked
from resonate_core.ids import inbox_id, logical_id, run_id
from resonate_core.protocol.records import TAG_BRANCH, PromiseRecord
from resonate_core.protocol.requests import PromiseGet, PromiseSearch, TaskFence
from resonate_core.scheduler.execution import Execution
from resonate_core.worker.hold_inbox import decode_message, take_opening

if TYPE_CHECKING:
    from typing import Any

    from resonate_core.registry import Registered
    from resonate_core.scheduler.environment import Environment

_PAGE = 1000


def replay_operation(
    env: Environment, record: PromiseRecord, function: Registered, run: int | None = None
) -> Operation[Execution]:
    """Return an execution in memory, as far as its records go: its newest run, or the one asked for."""
    preload = yield from _records(record.id)
    run = _newest_run(record.id, preload) if run is None else run
    inbox_prefix, run_prefix = inbox_id(record.id, 0)[:-1], run_id(record.id, 1)[:-1]
    slots = {found.id: found for found in preload if found.id.removeprefix(inbox_prefix).isdigit()}
    messages = [found for found in slots.values() if found.state != "pending"]
    own = [found for found in preload if found.id not in slots and not found.id.startswith(run_prefix)]
    call = env.codec.decode_invocation(record.param)
    if run:
        call = env.codec.decode_invocation(next(r for r in preload if r.id == run_id(record.id, run)).value)
        own = yield from _records(run_id(record.id, run))
    execution = Execution(
        env,
        record,
        function,
        env.codec.decode_arguments(call, function.callable, skip=function.lead),
        version=0,
        logical_id=logical_id(record.id),
        run=run,
        event_counts=dict(call.extra.get("events") or {}),
    )
    execution.travelled = env.codec.decode_invocation(record.param).extra
    execution.inbox.skip_read(call.extra.get("next_slot", 0), call.extra.get("unread") or [])
    execution.load(own)
    take_opening(execution)
    for slot, found in sorted((int(m.id[len(inbox_prefix) :]), m) for m in messages):
        execution.message_arrived(decode_message(env.codec, found, slot))
    execution.begin()
    yield from _advance(execution)
    return execution


def _advance(execution: Execution) -> Operation[None]:
    """Advance; look up remote promises that the function has made, and end where there is nothing to look up."""
    while True:
        execution.advance()
        wanted = [w for w in execution.take_effects().writes if isinstance(w.request, TaskFence) and w.then is not None]
        found_any = False
        for write in wanted:
            response: Any = (yield [PromiseGet(write.request.action.id)])[0]  # type: ignore[union-attr]
            if response.promise is not None and write.then is not None:
                write.then(response)
                found_any = True
        if not found_any and not execution.answers_open:
            return
        if not found_any:
            # What is not made yet has no answer. The record ends here, so messages need not wait for what comes of it:
            # whoever has sent a signal asks for the state after it.
            execution.answers_open = 0


def _records(branch: str) -> Operation[list[PromiseRecord]]:
    found: list[PromiseRecord] = []
    cursor: str | None = None
    while True:
        request = PromiseSearch(tags={TAG_BRANCH: branch}, limit=_PAGE, cursor=cursor)
        response = checked((yield [request])[0], "promise.search", branch)
        found.extend(record for record in response.promises if record.id != branch)
        cursor = response.cursor
        if cursor is None:
            return found


def _newest_run(promise_id: str, preload: list[PromiseRecord]) -> int:
    """Return the number of the newest run; 0 is the first, before any continue-as-new."""
    prefix = run_id(promise_id, 1)[:-1]
    tails = [record.id[len(prefix) :] for record in preload if record.id.startswith(prefix)]
    return max((int(tail) for tail in tails if tail.isdigit()), default=0)
