"""The commands of drivers: see ``resonate_core.driver``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resonate_core import commands as c
from resonate_core.errors import NondeterminismError, UsageError
from resonate_core.protocol.requests import PromiseSettle
from resonate_core.scheduler.effects import Ask, Write
from resonate_core.scheduler.inbox import ANY_TOPIC
from resonate_core.scheduler.order import GLUED, INBOX_KEY
from resonate_core.scheduler.promises import Promise, slot_of
from resonate_core.scheduler.waits import Action, WaitAnswer, WaitNext

if TYPE_CHECKING:
    from resonate_core.scheduler.branch import Branch
    from resonate_core.scheduler.execution import Execution
    from resonate_core.scheduler.inbox import Message


def _next_event(ex: Execution, branch: Branch, cmd: c.NextEvent) -> Action | None:
    for promise in cmd.promises:
        if not isinstance(promise, Promise) or ex.slots.get(slot_of(promise).id) is not slot_of(promise):
            raise UsageError(f"next_event takes promises of execution {ex.id}, got {promise!r:.80}")
    ex.block(WaitNext(branch, f"r:{cmd.id}", [slot_of(promise) for promise in cmd.promises]))
    return None


def _take_messages(ex: Execution, _branch: Branch, _cmd: c.TakeMessages) -> Action | None:
    """Take the messages that came together with the last event: those recorded, or those that are here now."""
    taken: list[Message] = []
    while ex.order.planned == (INBOX_KEY, GLUED):
        taken.append(_take(ex, must_record=False))
    if not taken and ex.order.is_past_record and not ex.catching_up:
        while ex.inbox.kept_count:
            taken.append(_take(ex, must_record=True))
    return ("send", taken)


def _take(ex: Execution, *, must_record: bool) -> Message:
    message = ex.inbox.match(ANY_TOPIC)
    if message is None:
        raise NondeterminismError(f"{ex.id}: event {ex.order.position} was a message, and it is not here yet")
    ex.inbox.take(message.slot)
    if must_record and ex.order.breaks_batch:
        ex.flush_order()
    ex.order.advance(INBOX_KEY, GLUED, must_record=must_record)
    ex.note_event(must_record=must_record)
    ex.now_ms = max(ex.now_ms, message.at_ms)
    return message


def _settle(ex: Execution, _branch: Branch, cmd: c.Settle) -> Action | None:
    codec = ex.env.codec
    value = codec.encode_value(cmd.value) if cmd.error is None else codec.encode_error(cmd.error)
    settle = PromiseSettle(cmd.promise_id, "resolved" if cmd.error is None else "rejected", value)
    ex.write(Write(settle, lambda _: None))  # settled already: whoever waits has an answer
    ex.effects.is_urgent = True
    return ("send", None)


def _give_up(ex: Execution, _branch: Branch, cmd: c.GiveUp) -> Action | None:
    raise NondeterminismError(f"{ex.id}: {cmd.reason}")


def _outside(ex: Execution, branch: Branch, cmd: c.Outside) -> Action | None:
    key = f"o:{cmd.id}"
    ex.block(WaitAnswer(branch, key))
    ex.answers_open += 1

    def given(value: Any, error: BaseException | None) -> None:
        ex.answers_open -= 1
        ex.make_available(key, (value, error))

    ex.effects.asks.append(Ask("outside", (cmd.begin,), given))
    return None


COMMANDS: Final[dict[type, Any]] = {
    c.NextEvent: _next_event,
    c.Outside: _outside,
    c.TakeMessages: _take_messages,
    c.Settle: _settle,
    c.GiveUp: _give_up,
}
