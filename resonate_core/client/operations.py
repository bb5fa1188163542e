"""Operations of a client, written once for blocking and async callers.

An operation is a generator that yields lists of requests and is sent their responses; ``drive`` runs it on callbacks
and gives a future. Blocking code waits for the future, async code awaits it.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from resonate_core.errors import ProtocolError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from resonate_core.protocol.requests import Request, Response

T = TypeVar("T")
#: An operation that yields requests and returns a ``T``.
Operation: TypeAlias = "Generator[list[Request], list[Response], T]"
Submit: TypeAlias = "Callable[[list[Request], Callable[[list[Response]], None]], None]"


def drive(submit: Submit, operation: Operation[T]) -> Future[T]:
    """Run an operation; its result or error comes through the future."""
    future: Future[T] = Future()

    def advance(responses: list[Response] | None) -> None:
        try:
            requests = operation.send(responses) if responses is not None else next(operation)
        except StopIteration as stop:
            finish(future, stop.value, None)
            return
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            finish(future, None, error)
            return
        submit(requests, advance)

    advance(None)
    return future


def drive_apart(submit: Submit, operation: Operation[T]) -> Future[T]:
    """Run an operation that executes users' code, on a thread of its own.

    What answers come on belongs to the connection: code that takes its time there, or has an event loop of its own,
    would hold up heartbeats, or worse.
    """
    future: Future[T] = Future()

    def run() -> None:
        answers: SimpleQueue[list[Response]] = SimpleQueue()
        try:
            requests = next(operation)
            while True:
                submit(requests, answers.put)
                requests = operation.send(answers.get())
        except StopIteration as stop:
            finish(future, stop.value, None)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            finish(future, None, error)

    threading.Thread(target=run, name="resonate replay", daemon=True).start()
    return future


def finish(future: Future[T], value: Any, error: BaseException | None) -> None:
    """Settle a future once; one that its owner has cancelled stays cancelled."""
    if future.done() or not future.set_running_or_notify_cancel():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)


def checked(response: Response, what: str, id: str) -> Response:
    """Return a response that carried something out.

    Raises:
        TransportError: no answer came.
        ProtocolError: the server refused.
    """
    if response.is_ok:
        return response
    detail = response.error or f"status {response.status}"
    if response.status == 0:
        raise TransportError(f"{what} {id!r}: {detail}; trying again is safe")
    raise ProtocolError(f"{what} {id!r} was refused: {detail}", kind=what, id=id, status=response.status)
