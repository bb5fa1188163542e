"""A plain function on a thread of its own, seen by its durable driver as a series of requests.

A DBOS workflow calls its steps like functions. Here the function runs on a thread; where it calls something durable,
the thread hands a *request* to the driver, a generator that the runtime steps and replays, and waits for the answer.
Between two requests the thread is the only one that runs the workflow, so its requests come in the same order every
time, and replaying the driver replays the function.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Generator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from compat.dbos.errors import DBOSWorkflowCancelledError
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
        self._given: SimpleQueue[Any] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_evicted = False

    # -- the driver's side ----------------------------------------------------------------------------------------

    def start(self, give: Callable[[Any], None]) -> None:
        """Begin; the first request, or the end, is given."""
        self._expect(give)
        context = contextvars.copy_context()
        threading.Thread(target=lambda: context.run(self._run), name=f"dbos {self._name}", daemon=True).start()

    def answer(self, answer: Answer, give: Callable[[Any], None]) -> None:
        """Answer the last request; the next one is given."""
        self._expect(give)
        self._answers.put(answer)

    def join(self, give: Callable[[Any], None]) -> None:
        """Give the next request, of a thread that is running."""
        self._expect(give)

    def evict(self) -> None:
        """End the thread at its next request."""
        self._is_evicted = True
        self._answers.put(("throw", Evicted()))

    def _expect(self, give: Callable[[Any], None]) -> None:
        with self._lock:
            if self._given.empty():
                self._give = give
                return
            found = self._given.get()
        give(found)

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
            give, self._give = self._give, None
            if give is None:
                self._given.put(item)
                return
        give(item)

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
    begin: Callable[[Callable[[Any], None]], None] = body.start
    try:
        while True:
            try:
                request = yield driver.outside(begin)
            except Cancelled:  # while the body computes: it learns at its next request
                is_cancelled = True
                begin = body.join
                continue
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
            begin = _answering(body, answer)
    except GeneratorExit:
        body.evict()
        raise


def _answering(body: Body, answer: Answer) -> Callable[[Callable[[Any], None]], None]:
    return lambda give: body.answer(answer, give)


def outcome(end: End, *, is_cancelled: bool) -> Any:
    if is_cancelled or isinstance(end.error, DBOSWorkflowCancelledError):
        raise Cancelled("the workflow was cancelled")
    if end.error is not None:
        raise end.error
    return end.value
