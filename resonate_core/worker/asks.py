"""What an execution asks of the world outside its own promises: read the inbox, post a message, read an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.errors import ResonateCoreError, UsageError
from resonate_core.limits import WRITE_RETRY_MAX_MS, WRITE_RETRY_MS
from resonate_core.network.generations import choose_generation
from resonate_core.network.post import post_message
from resonate_core.network.published import read_event
from resonate_core.protocol.records import TAG_TARGET
from resonate_core.queues.line import place_of, stand_in_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.post import Submit
    from resonate_core.protocol.requests import Request, Response
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
    post_message(_persistent(hold), hold.env, destination, message, _then(hold, ask))


def _event(hold: Hold, ask: Ask) -> None:
    source, key, timeout_s = ask.arguments
    worker = hold.worker
    deadline = None if timeout_s is None else worker.clock.now_ms() + round(timeout_s * 1000)
    read_event(_Around(hold), hold.env, source, key, deadline, _then(hold, ask))


class _Around:
    """The surroundings of a hold, for reading events."""

    def __init__(self, hold: Hold) -> None:
        self.network = hold.worker.network
        self.post = hold.worker.post
        self.after = hold.worker.after
        self.submit = _persistent(hold)


def _persistent(hold: Hold) -> Submit:
    """Return a way to send that does not give up: a message is once by its id, and a body must not see a bad line."""

    def submit(requests: list[Request], then: Callable[[list[Response]], None], failures: int = 0) -> None:
        def answered(responses: list[Response]) -> None:
            if responses[0].status != 0:
                then(responses)
            elif not hold.is_gone:
                pause = min(WRITE_RETRY_MS * 2 ** min(failures, 16), WRITE_RETRY_MAX_MS)
                hold.worker.after(pause, lambda: submit(requests, then, failures + 1))

        hold.worker.submit(requests, answered)

    return submit


def _then(hold: Hold, ask: Ask) -> Callable[[Any, BaseException | None], None]:
    def told(value: Any, error: BaseException | None) -> None:
        if not hold.is_gone:
            ask.then(value, error)
            hold.worker.touch(hold)

    return told


def _choose(hold: Hold, ask: Ask) -> None:
    id, if_exists, mine = ask.arguments
    choose_generation(_persistent(hold), hold.env, id, if_exists, mine, _then(hold, ask))


def _outside(hold: Hold, ask: Ask) -> None:
    (begin,) = ask.arguments
    then = _then(hold, ask)
    begin(lambda value: hold.worker.post(lambda: then(value, None)))


def _enqueue(hold: Hold, ask: Ask) -> None:
    """Put children in line one after the other, in the order in which they were made."""
    hold.enqueuing.append(ask)
    if len(hold.enqueuing) == 1:
        _enqueue_next(hold)


def _enqueue_next(hold: Hold) -> None:
    ask = hold.enqueuing[0]
    (create,) = ask.arguments
    place = place_of(hold.env, create.param)

    def stands(slot: Any, _: BaseException | None) -> None:
        hold.enqueuing.popleft()
        _then(hold, ask)(slot, None)  # a refusal loses nothing: the child asks itself when a worker picks it up
        if hold.enqueuing and not hold.is_gone:
            _enqueue_next(hold)

    if place is None:
        stands(None, None)
    else:
        stand_in_line(_persistent(hold), hold.env, create.id, place, create.tags[TAG_TARGET], stands)


_KINDS: dict[str, Callable[[Hold, Ask], None]] = {
    "choose": _choose,
    "drain": _drain,
    "enqueue": _enqueue,
    "event": _event,
    "outside": _outside,
    "post": _post,
}
