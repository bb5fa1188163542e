"""An async workflow: its coroutine runs on a loop of its own thread, its durable calls are requests like others.

Calls that run at the same time (``asyncio.gather``) are asked for one after the other and carried out at once, each as
a branch of the execution, numbered in the order of the calls, as with DBOS.
"""

from __future__ import annotations

import asyncio
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from compat.dbos.body import Body, End, Evicted, Operation, outcome
from compat.dbos.error import DBOSWorkflowCancelledError
from resonate_core import Cancelled, Driver

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from compat.dbos.body import Answer
    from resonate_core import Context


class _Request:
    """One durable call of the coroutine, and how it hears of the answer."""

    def __init__(self, operation: Operation, tell: Callable[[Answer], None]) -> None:
        self.operation = operation
        self.tell = tell


class AsyncBody(Body):
    """A body whose call gives a coroutine."""

    def _run(self) -> None:
        async def main() -> Any:
            return await self._call()

        try:
            end = End(asyncio.run(main()), None)
        except Evicted:
            return
        except BaseException as error:  # noqa: BLE001 - whatever the workflow raises is its outcome
            end = End(None, error)
        self._hand_over(end)

    def ask(self, operation: Operation) -> Any:
        """Have something done for a plain call: the event loop stands still meanwhile, as with DBOS."""
        answers: SimpleQueue[Answer] = SimpleQueue()
        self._hand_over(_Request(operation, answers.put))
        return _given(answers.get())

    async def ask_async(self, operation: Operation) -> Any:
        """Have something done and await it; other tasks of the workflow go on."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()

        def settle(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        def tell(answer: Answer) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, answer)

        self._hand_over(_Request(operation, tell))
        return _given(await future)

    def driven(self, ctx: Context) -> Generator[Any, Any, Any]:
        """Carry out what the coroutine asks for until it ends."""
        return drive_async(ctx, self)


def _given(answer: Answer) -> Any:
    verb, payload = answer
    if verb == "throw":
        raise payload
    return payload


def drive_async(ctx: Context, body: AsyncBody) -> Generator[Any, Any, Any]:
    """Carry out what an async body asks for until it ends."""
    driver = Driver(ctx)
    is_cancelled = False
    open_calls: list[Any] = []
    body.start()
    try:
        while True:
            try:
                yield driver.outside(body.join)
            except Cancelled:
                is_cancelled = True
                for promise in open_calls:
                    yield ctx.cancel(promise)
                continue
            request = body.take()
            if isinstance(request, End):
                return outcome(request, is_cancelled=is_cancelled)
            if is_cancelled:
                request.tell(("throw", DBOSWorkflowCancelledError("the workflow was cancelled")))
            else:
                open_calls.append((yield ctx.begin_run(_carried_out, request)))
    except GeneratorExit:
        body.evict()
        raise


def _carried_out(ctx: Context, request: _Request) -> Generator[Any, Any, None]:
    """Carry out one call as a branch."""
    try:
        request.tell(("send", (yield from request.operation(ctx))))
    except Cancelled:
        request.tell(("throw", DBOSWorkflowCancelledError("the workflow was cancelled")))
    except Exception as error:  # noqa: BLE001 - whatever the step raised belongs to the coroutine
        request.tell(("throw", error))
