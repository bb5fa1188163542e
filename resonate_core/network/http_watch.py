"""Who wants to know when a promise settles, over HTTP: a listener at the server, and second looks in case of loss.

An ``unblock`` comes at most once and gets lost with the stream that it was sent to. So every watched promise is looked
at again: at once when a new stream begins, at its deadline (some servers notice a deadline only when asked), and in
growing intervals. Looking is registering: the server answers with the record and remembers the listener once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from resonate_core.protocol.requests import PromiseGet, PromiseRegisterListener

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from resonate_core.network.http_loop import LoopThread
    from resonate_core.network.link import Link
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Response

    OnSettled = Callable[[PromiseRecord], None]

_log = logging.getLogger("resonate_core")

#: Pauses between two looks at a promise that a listener is registered for.
FIRST_LOOK_S: Final = 2.0
LOOK_S_MAX: Final = 60.0
#: The same where no listener is possible: the promise does not exist yet, or is a local child.
FIRST_POLL_S: Final = 0.1
POLL_S_MAX: Final = 3.0
#: Looks under way at the same time: a new stream makes all watches look at once.
LOOK_COUNT: Final = 32
#: A look at a deadline comes this much after it, so that the server's clock has passed it too.
_LATER_S: Final = 0.05
#: Pause between looks at a promise whose deadline has passed here and not there: clocks differ.
_OVERDUE_S: Final = 0.5
#: Promises that are remembered as asked for, so that a late answer about one is not taken for somebody else's.
_ASKED_COUNT: Final = 10_000


class _Watch:
    def __init__(self) -> None:
        self.callbacks: list[OnSettled] = []
        self.look_now = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Watches:
    """Callbacks by promise, each told once. Lives on the loop.

    Args:
        thread: whose loop.
        link: the server.
        address: where ``unblock`` messages for this process go; None: nowhere, so that looking is all there is.
        now_ms: wall clock.
        create: makes a promise that is missing if it is this process's to make; says whether it was.
    """

    def __init__(
        self,
        thread: LoopThread,
        link: Link,
        *,
        address: Callable[[], str | None],
        now_ms: Callable[[], int],
        create: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._thread = thread
        self._link = link
        self._address = address
        self._now_ms = now_ms
        self._create = create
        self._watches: dict[str, _Watch] = {}
        self._slots = asyncio.Semaphore(LOOK_COUNT)
        self._asked: OrderedDict[str, None] = OrderedDict()

    def add(self, promise_id: str, on_settled: OnSettled) -> None:
        """Remember a callback and look at once."""
        watch = self._watches.get(promise_id)
        if watch is None:
            watch = self._watches[promise_id] = _Watch()
            watch.task = self._thread.spawn(self._follow(promise_id, watch))
        else:
            watch.look_now.set()
        watch.callbacks.append(on_settled)

    def has_asked_for(self, promise_id: str) -> bool:
        """Whether a listener for a promise was registered from here lately."""
        return promise_id in self._asked

    def remove(self, promise_id: str, on_settled: OnSettled) -> None:
        """Forget a callback; an unknown one is no matter."""
        watch = self._watches.get(promise_id)
        if watch is None or on_settled not in watch.callbacks:
            return
        watch.callbacks.remove(on_settled)
        if not watch.callbacks:
            self._drop(promise_id, watch)

    def _drop(self, promise_id: str, watch: _Watch) -> None:
        if self._watches.get(promise_id) is watch:
            del self._watches[promise_id]
        if watch.task is not None and watch.task is not asyncio.current_task():
            watch.task.cancel()

    def look_at_all(self) -> None:
        """Look at everything again: a message may have been missed, or the address is another one now."""
        for watch in self._watches.values():
            watch.look_now.set()

    def cancel_all(self) -> None:
        """Stop watching."""
        for promise_id, watch in list(self._watches.items()):
            self._drop(promise_id, watch)

    def settled(self, record: PromiseRecord) -> bool:
        """Tell whoever waits for a promise; return whether anybody did."""
        watch = self._watches.get(record.id)
        if watch is None or record.state == "pending":
            return False
        self._drop(record.id, watch)
        for callback in watch.callbacks:
            try:
                callback(record)
            except Exception:  # noqa: BLE001 - code of the worker side must not end the connection
                _log.exception("a callback for promise %s failed", record.id)
        return True

    # -- looking -------------------------------------------------------------------------------------------------

    async def _follow(self, promise_id: str, watch: _Watch) -> None:
        listen_s, poll_s = FIRST_LOOK_S, FIRST_POLL_S
        while True:
            watch.look_now.clear()
            async with self._slots:
                response = await self._look(promise_id)
            record = response.promise
            if record is not None:
                self.settled(record)
            if self._watches.get(promise_id) is not watch:
                return
            if response.is_ok and record is not None:
                pause_s, listen_s = self._until(record, listen_s), min(listen_s * 2, LOOK_S_MAX)
            else:
                pause_s, poll_s = poll_s, min(poll_s * 1.5, POLL_S_MAX)
            try:
                async with asyncio.timeout(pause_s):
                    await watch.look_now.wait()
            except TimeoutError:
                continue

    def _until(self, record: PromiseRecord, pause_s: float) -> float:
        due_s = (record.timeout_at - self._now_ms()) / 1000 + _LATER_S
        return min(pause_s, due_s if due_s > 0 else _OVERDUE_S)

    async def _look(self, promise_id: str) -> Response:
        """Register; where that is not possible, look. The status says whether the server will tell us."""
        self._asked[promise_id] = None
        if len(self._asked) > _ASKED_COUNT:
            self._asked.popitem(last=False)
        address = self._address()
        if address is None:
            return await self._poll(promise_id)
        listen = PromiseRegisterListener(promise_id, address)
        response = await self._link.send(listen)
        if response.status == 404 and await self._create(promise_id):
            response = await self._link.send(listen)
        if response.status == 422:  # a local child: nobody is told of those
            found = (await self._link.send(PromiseGet(promise_id))).promise
            if found is not None and found.state != "pending":
                self.settled(found)
        return response

    async def _poll(self, promise_id: str) -> Response:
        """Look where nobody can tell us; what is there and pending will not be told, which 422 says."""
        response = await self._link.send(PromiseGet(promise_id))
        if response.status == 404 and await self._create(promise_id):
            response = await self._link.send(PromiseGet(promise_id))
        if response.promise is not None and response.promise.state == "pending":
            return replace(response, status=422)
        return response
