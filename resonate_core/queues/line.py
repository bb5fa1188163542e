"""Putting an execution in line from outside it: right after it was made, so that the order of enqueuing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.errors import NotFoundError
from resonate_core.limits import KEEPER_TIMEOUT_S
from resonate_core.network.post import post_message
from resonate_core.options import CallOptions
from resonate_core.protocol.records import TAG_BRANCH, TAG_ORIGIN, TAG_PARENT, TAG_SCOPE, TAG_TARGET
from resonate_core.protocol.requests import PromiseCreate
from resonate_core.queues.keeper import KEEPER_FUNCTION, REQUEST
from resonate_core.queues.queue import keeper_id
from resonate_core.queues.turn import job_of

if TYPE_CHECKING:
    from resonate_core.network.post import Submit, Then
    from resonate_core.protocol.records import Value
    from resonate_core.scheduler.environment import Environment


def place_of(env: Environment, param: Value) -> dict[str, Any] | None:
    """Return the place that a stored call asks for, None if it stands in no line now: none at all, or one later."""
    extra = env.codec.decode_invocation(param).extra
    place: dict[str, Any] | None = extra.get("queue")
    return None if extra.get("delay") else place


def stand_in_line(  # noqa: PLR0917 - who asks, for whom, where
    submit: Submit, env: Environment, promise_id: str, place: dict[str, Any], target: str, then: Then
) -> None:
    """Ask the keeper of a queue for the turn of an execution.

    Args:
        submit: sends requests and answers.
        env: codec and clock.
        promise_id: of the execution, which exists.
        place: as ``place_in`` made it.
        target: address of the workers that may run the keeper, should it not exist yet.
        then: called with (id of the message's slot, None) or (None, error). An error loses nothing: the execution
            asks again when a worker picks it up.
    """
    keeper = keeper_id(place["name"], place["partition"])
    args = [job_of(promise_id, place, is_own=False), place["limits"]]
    message = {"kind": "signal", "topic": REQUEST, "args": args, "id": f"enqueue/{promise_id}"}

    def posted(slot: str | None, error: BaseException | None) -> None:
        if isinstance(error, NotFoundError):
            submit([_keeper(env, keeper, target)], lambda _: post_message(submit, env, keeper, message, then))
        else:
            then(slot, error)

    post_message(submit, env, keeper, message, posted)


def _keeper(env: Environment, keeper: str, target: str) -> PromiseCreate:
    tags = {TAG_TARGET: target, TAG_SCOPE: "global", TAG_ORIGIN: keeper, TAG_BRANCH: keeper, TAG_PARENT: keeper}
    param = env.invocation(KEEPER_FUNCTION, (), {}, 1, CallOptions())
    return PromiseCreate(keeper, env.now_ms() + int(KEEPER_TIMEOUT_S * 1000), param, tags)
