"""A plain function on a thread of its own, seen by its durable driver as a series of requests.

A DBOS workflow calls its steps like functions. Here the function runs on a thread; where it calls something durable,
the thread hands a *request* to the driver, a generator that the runtime steps and replays, and waits for the answer.
Between two requests the thread is the only one that runs the workflow, so its requests come in the same order every
time, and replaying the driver replays the function.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Generator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from compat.dbos.error import DBOSWorkflowCancelledError
from resonate_core import Cancelled, Driver

if TYPE_CHECKING:
    from resonate_core import Context

#: What a request does, given the driver's context: a generator that gives the answer.
Operation = Callable[["Context"], Generator[Any, Any, Any]]
Answer = tuple[Literal["send", "throw"], Any]


class Evicted(BaseException):
    """The workflow goes on elsewhere, or later here: its thread ends without a word."""


class End:
    def __init__(self, value: Any, error: BaseException | None) -> None:
        self.value = value
        self.error = error


class Body:
    """One run of a workflow's function.

    Args:
        call: the function with its arguments.
        name: for the thread.
    """

    def __init__(self, call: Callable[[], Any], name: str) -> None:
        self._call = call
        self._name = name
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._give: Callable[[Any], None] | None = None
        self._items: deque[Any] = deque()
        self._lock = threading.Lock()
        self._is_evicted = False

    # -- the driver's side ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to run the function."""
        context = contextvars.copy_context()
        threading.Thread(target=lambda: context.run(self._run), name=f"dbos {self._name}", daemon=True).start()

    def answer(self, answer: Answer) -> None:
        """Answer the last request."""
        self._answers.put(answer)

    def join(self, give: Callable[[Any], None]) -> None:
        """Tell when there is something to ``take``; a wait that is given up may be begun again and loses nothing."""
        with self._lock:
            if not self._items:
                self._give = give
                return
        give(None)

    def take(self) -> Any:
        """Return the next request, or the end."""
        return self._items.popleft()

    def evict(self) -> None:
        """End the thread at its next request."""
        self._is_evicted = True
        self._answers.put(("throw", Evicted()))

    # -- the thread's side ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            end = End(self._call(), None)
        except Evicted:
            return
        except BaseException as error:  # noqa: BLE001 - whatever the workflow raises is its outcome
            end = End(None, error)
        self._hand_over(end)

    def _hand_over(self, item: Any) -> None:
        with self._lock:
            self._items.append(item)
            give, self._give = self._give, None
        if give is not None:
            give(None)

    def ask(self, operation: Operation) -> Any:
        """Have something durable done and wait for it; called on the body's thread."""
        if self._is_evicted:
            raise Evicted
        self._hand_over(operation)
        verb, payload = self._answers.get()
        if verb == "throw":
            raise payload
        return payload

    async def ask_async(self, operation: Operation) -> Any:
        """Have something durable done: a plain workflow has no loop that could go on meanwhile."""
        return self.ask(operation)

    def driven(self, ctx: Context) -> Generator[Any, Any, Any]:
        """Carry out what the function asks for until it ends."""
        return drive(ctx, self)


def drive(ctx: Context, body: Body) -> Generator[Any, Any, Any]:
    """Carry out what a body asks for until it ends; the generator that a durable function is."""
    driver = Driver(ctx)
    is_cancelled = False
    body.start()
    try:
        while True:
            try:
                yield driver.outside(body.join)
            except Cancelled:  # while the body computes: it learns at its next request
                is_cancelled = True
                continue
            request = body.take()
            if isinstance(request, End):
                return outcome(request, is_cancelled=is_cancelled)
            answer: Answer = ("throw", DBOSWorkflowCancelledError("the workflow was cancelled"))
            if not is_cancelled:
                try:
                    answer = ("send", (yield from request(ctx)))
                except Cancelled:
                    is_cancelled = True
                except Exception as error:  # noqa: BLE001 - whatever the step raised belongs to the body
                    answer = ("throw", error)
            body.answer(answer)
    except GeneratorExit:
        body.evict()
        raise


def outcome(end: End, *, is_cancelled: bool) -> Any:
    if is_cancelled or isinstance(end.error, DBOSWorkflowCancelledError):
        raise Cancelled("the workflow was cancelled")
    if end.error is not None:
        raise end.error
    return end.value
