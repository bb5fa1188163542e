"""Sending a message to an execution: once, to the newest generation of an id, refused if that has finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from resonate_core.errors import ExecutionClosedError, NotFoundError, ProtocolError, TransportError
from resonate_core.ids import generation_id
from resonate_core.limits import DEFAULT_TIMEOUT_S
from resonate_core.protocol.requests import MessageAppend
from resonate_core.scheduler.inbox import MESSAGE_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.codec import Codec
    from resonate_core.protocol.records import Value
    from resonate_core.protocol.requests import Request, Response
    from resonate_core.scheduler.environment import Environment

    Submit = Callable[[list[Request], Callable[[list[Response]], None]], None]
    Then = Callable[[str | None, BaseException | None], None]


def encode_message(codec: Codec, message: dict[str, Any]) -> Value:
    """Return the stored form of a message; its id stands in a header, readable without the key of an encryptor."""
    value = codec.encode_value(message)
    return msgspec.structs.replace(value, headers={**(value.headers or {}), MESSAGE_HEADER: message["id"]})


def post_message(submit: Submit, env: Environment, destination: str, message: dict[str, Any], then: Then) -> None:
    """Put a message into an inbox.

    Args:
        submit: sends requests and answers.
        env: codec and clock.
        destination: id of an execution, as its starter chose it.
        message: ``id``, ``kind``, ``topic``, ``args``; sending the same ``id`` again changes nothing.
        then: called with (id of the slot, None) or (None, error).

    Raises:
        EncodeError: the message has no stored form.
    """
    value = encode_message(env.codec, message)
    deadline = env.now_ms() + int(DEFAULT_TIMEOUT_S * 1000)

    def attempt(generation: int) -> None:
        target = generation_id(destination, generation)
        submit([MessageAppend(target, value, deadline)], lambda responses: answered(generation, responses[0]))

    def answered(generation: int, response: Response) -> None:
        if response.is_ok and response.promise is not None:
            then(response.promise.id, None)
        elif response.status == 409:
            attempt(generation + 1)  # finished; perhaps it was started again
        else:
            then(None, _refusal(destination, message, generation, response))

    attempt(0)


def _refusal(destination: str, message: dict[str, Any], generation: int, response: Response) -> Exception:
    what = f"{message['kind']} {message.get('topic') or ''}".strip()
    if response.status == 404 and generation:
        return ExecutionClosedError(
            f"{what} was refused: execution {destination!r} has finished", kind="message", id=destination, status=409
        )
    if response.status == 404:
        return NotFoundError(
            f"{what} was refused: there is no execution {destination!r}; start it first, or check the id and the store",
            kind="message",
            id=destination,
            status=404,
        )
    detail = response.error or f"status {response.status}"
    if response.status == 0:
        return TransportError(f"{what} to {destination!r} may not have arrived: {detail}; sending it again is safe")
    return ProtocolError(f"{what} to {destination!r}: {detail}", kind="message", id=destination, status=response.status)
