"""What an execution asks of the world outside its own promises: read the inbox, post a message, read an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.errors import ResonateCoreError, UsageError
from resonate_core.network.post import post_message
from resonate_core.network.published import read_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.scheduler.effects import Ask
    from resonate_core.worker.hold import Hold


def answer(hold: Hold, ask: Ask) -> None:
    """Carry out an ask; its ``then`` is called on the worker's thread."""
    try:
        _KINDS[ask.kind](hold, ask)
    except ResonateCoreError as error:
        ask.then(None, error)
        hold.worker.touch(hold)


def _drain(hold: Hold, ask: Ask) -> None:
    def read() -> None:
        if hold.is_gone or hold.execution is None:
            return
        ask.then(hold.execution.inbox.next_slot, None)
        hold.worker.touch(hold)

    hold.feed.read(read)


def _post(hold: Hold, ask: Ask) -> None:
    destination, message = ask.arguments
    if destination in (hold.id, hold.logical_id) and message["kind"] == "update":
        raise UsageError(f"{hold.id} cannot wait for an update of itself")
    post_message(hold.worker.submit, hold.env, destination, message, _then(hold, ask))


def _event(hold: Hold, ask: Ask) -> None:
    source, key, timeout_s = ask.arguments
    worker = hold.worker
    deadline = None if timeout_s is None else worker.clock.now_ms() + round(timeout_s * 1000)
    read_event(worker, hold.env, source, key, deadline, _then(hold, ask))


def _then(hold: Hold, ask: Ask) -> Callable[[Any, BaseException | None], None]:
    def told(value: Any, error: BaseException | None) -> None:
        if not hold.is_gone:
            ask.then(value, error)
            hold.worker.touch(hold)

    return told


_KINDS: dict[str, Callable[[Hold, Ask], None]] = {"drain": _drain, "post": _post, "event": _event}
