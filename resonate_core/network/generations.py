"""Which generation of an id a child gets: promises are write-once, so an id that runs again is a new promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resonate_core.errors import AlreadyStartedError, CanceledError, ProtocolError
from resonate_core.ids import generation_id
from resonate_core.protocol.records import TAG_START
from resonate_core.protocol.requests import PromiseGet, PromiseSettle

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.post import Submit
    from resonate_core.protocol.requests import Response
    from resonate_core.scheduler.environment import Environment

    Then = Callable[[str | None, BaseException | None], None]


def choose_generation(submit: Submit, env: Environment, id: str, if_exists: str, mine: str, then: Then) -> None:  # noqa: PLR0917 - who asks, for what, for whom
    """Find the promise id under which a child of this id shall run.

    Args:
        submit: sends requests and answers.
        env: codec.
        id: as the caller chose it.
        if_exists: ``fail``, ``restart_closed`` or ``restart``, see ``client/starting.py``.
        mine: value of the start tag by which the caller knows a promise that it has made itself.
        then: called with (promise id, None) or (None, error).
    """

    def look(generation: int) -> None:
        submit([PromiseGet(generation_id(id, generation))], lambda responses: looked(generation, responses[0]))

    def looked(generation: int, response: Response) -> None:
        record, found = response.promise, generation_id(id, generation)
        if response.status == 404 or (record is not None and record.tags.get(TAG_START) == mine):
            then(found, None)
        elif record is None:
            what = f"looking for {found!r}: {response.error or response.status}"
            then(None, ProtocolError(what, kind="promise.get", id=found, status=response.status))
        elif record.state == "pending" and if_exists == "restart":
            reason = env.codec.encode_error(CanceledError("started again with if_exists='restart'"))
            submit([PromiseSettle(found, "rejected_canceled", reason)], lambda _: look(generation + 1))
        elif record.state == "pending" or if_exists == "fail":
            then(None, _refusal(id, if_exists, is_open=record.state == "pending"))
        else:
            look(generation + 1)

    look(0)


def _refusal(id: str, if_exists: str, *, is_open: bool) -> AlreadyStartedError:
    state = "is running" if is_open else "has finished"
    text = f"execution {id!r} {state}, and if_exists={if_exists!r} allows no second one"
    return AlreadyStartedError(text, kind="promise.create", id=id, status=409)
