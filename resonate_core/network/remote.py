"""The network to a server that stands elsewhere, whatever the line to it.

One thread with an event loop does all of it: requests (``link``), messages, watches (``http_watch``). What the server
is, is asked before the first request (``dialect``). A server of ours takes our requests as they are, a whole submission
in one round trip; for others ``http_translate`` says the same in published words.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from resonate_core.clock import SystemClock
from resonate_core.network.bridge import Bridges
from resonate_core.network.dialect import OWN, Dialect, announce, detect
from resonate_core.network.http_inbox import slot_create
from resonate_core.network.http_loop import LoopThread
from resonate_core.network.http_tasks import Tasks
from resonate_core.network.http_translate import Translator
from resonate_core.network.http_watch import Watches
from resonate_core.network.journal import Journal
from resonate_core.network.link import Reply
from resonate_core.network.spelling import SPELLING
from resonate_core.protocol.records import TAG_TARGET
from resonate_core.protocol.requests import (
    Execute,
    PromiseGet,
    Response,
    TaskAcquire,
    TaskCreate,
    TaskSearch,
    Unblock,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from resonate_core.clock import Clock
    from resonate_core.network.link import Link
    from resonate_core.network.port import Done, Lease
    from resonate_core.protocol.records import PromiseRecord
    from resonate_core.protocol.requests import Message, Request

_log = logging.getLogger("resonate_core")

#: Seconds that requests under way get when the network stops.
STOP_SECONDS: Final = 2.0
#: Waiting tasks that are looked at when a stream begins, and how many at the same time.
_PICK_UP_COUNT: Final = 1_000
_TOGETHER_COUNT: Final = 32
_STOPPED: Final = "the connection was stopped before an answer came"
_NOT_TRIED: Final = Response(424, error="an earlier request of the same submission failed")


class RemoteNetwork(ABC):
    """A ``Network`` to a server elsewhere; see ``port.Network`` for what each method promises.

    Args:
        link: carries requests.
        group: of the worker or client.
        pid: its name, unique among all processes.
        clock: wall clock.
    """

    def __init__(self, link: Link, *, group: str, pid: str, clock: Clock | None = None) -> None:
        self.group = group
        self.pid = pid
        self.url = link.url
        self._clock = clock or SystemClock()
        self._link = link
        self._thread = LoopThread(f"resonate {self.url}")
        self._tasks = Tasks(link, Journal(link))
        self._bridges = Bridges(link, group=group, pid=pid, held=self._tasks.held)
        self._watches = Watches(
            self._thread,
            link,
            address=self._listening_at,
            now_ms=self._clock.now_ms,
            create=self._create_slot,
        )
        self._dialect: Dialect | None = None
        self._asking: asyncio.Task[Dialect | str] | None = None
        self._translator: Translator | None = None
        self._on_message: Callable[[Message], None] = _ignore
        self._is_worker = False
        self._stream: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._is_stopping = False

    # -- addresses -----------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def unicast(self) -> str:
        """Address of exactly this process."""

    @property
    @abstractmethod
    def anycast(self) -> str:
        """Address of any worker of this group."""

    @abstractmethod
    def address(self, target: str) -> str:
        """Return the address of a target."""

    @abstractmethod
    def _listening_at(self) -> str | None:
        """Return where messages for this process arrive now; None: nowhere."""

    @abstractmethod
    def _listen(self) -> Coroutine[Any, Any, None]:
        """Receive messages, until cancelled, and give each to ``_take``."""

    # -- life ----------------------------------------------------------------------------------------------------

    def start(
        self,
        on_message: Callable[[Message], None],
        *,
        is_worker: bool,
        lease: Lease | None = None,  # noqa: ARG002 - only a server in this process can act in a worker's name
    ) -> None:
        """Begin to receive; a client may become a worker, never the other way. A client's stream waits for a watch."""
        self._on_message = on_message
        if is_worker and not self._is_worker:
            self._is_worker = True
            self._thread.call(self._begin_work)

    def stop(self) -> None:
        """Stop receiving; what is under way is answered, with status 0 if it takes too long."""
        if self._is_stopping:
            return
        self._is_stopping = True
        self._thread.call(self._end_listening)
        self._thread.stop(self._link.close, grace_s=STOP_SECONDS)

    def _end_listening(self) -> None:
        self._watches.cancel_all()
        for task in (self._stream, self._keeper):
            if task is not None:
                task.cancel()

    def _begin_work(self) -> None:
        if self._is_stopping:
            return
        self._open_stream()
        self._keeper = self._thread.spawn(self._look_after_bridges())

    async def _look_after_bridges(self) -> None:
        """Wait for bells of the group, where the server makes bells necessary."""
        dialect = await self._ask_until_known()
        if dialect.has_origin_rule:
            await self._bridges.run()

    async def _ask_until_known(self) -> Dialect:
        while True:
            found = await self._ask()
            if isinstance(found, Dialect):
                return found
            await asyncio.sleep(1)

    # -- messages ------------------------------------------------------------------------------------------------

    def _open_stream(self) -> None:
        """Listen where this process is to be found now; what was missed meanwhile is asked for when it opens."""
        if self._is_stopping:
            return
        if self._stream is not None:
            self._stream.cancel()
        self._stream = self._thread.spawn(self._listen())

    def _stream_opened(self) -> None:
        """Ask for what was missed; and what the server is, for it may have been replaced while it was away."""
        self._watches.look_at_all()
        if self._dialect is not None:
            self._thread.spawn(self._ask_again())
        if self._is_worker:
            self._thread.spawn(self._pick_up())

    async def _ask_again(self) -> None:
        found = await detect(self._link)
        if isinstance(found, Dialect) and found != self._dialect:
            self._speak(found)

    async def _pick_up(self) -> None:
        """Offer what was waiting before this stream began: servers say it once, and again only after a while.

        One page of it: whoever waits behind a thousand others waits for them anyway. A token may not be allowed to
        search.
        """
        dialect = await self._ask_until_known()
        if dialect.is_own or not dialect.has_search or self._link.token is not None:
            return
        waiting = await self._link.send(TaskSearch(state="pending", limit=_PICK_UP_COUNT))
        for first in range(0, len(waiting.tasks), _TOGETHER_COUNT):
            some = waiting.tasks[first : first + _TOGETHER_COUNT]
            found = await asyncio.gather(*[self._link.send(PromiseGet(task.id)) for task in some])
            for task, response in zip(some, found, strict=True):
                if response.promise is not None and self._is_ours(response.promise):
                    self._taken(Execute(task.id, task.version))

    def _is_ours(self, record: PromiseRecord) -> bool:
        target = record.tags.get(TAG_TARGET, "")
        addresses = (self.unicast, self.anycast)
        return record.state == "pending" and (target in addresses or target.startswith(f"{self.anycast}/"))

    def _take(self, message: Message) -> None:
        """Take a message as the server wrote it."""
        self._taken(message if self._link.spelling is None else self._link.spelling.message(message))

    def _taken(self, message: Message) -> None:
        if isinstance(message, Execute):
            if self._is_worker and not self._tasks.is_timer(message.id):
                self._hand_over(message)
        elif isinstance(message, Unblock):
            was_watched = self._watches.settled(message.promise)
            is_unknown = not was_watched and not self._watches.has_asked_for(message.promise.id)
            if self._dialect is not None and self._dialect.has_origin_rule:
                self._thread.spawn(self._bridges.heard(message.promise, is_unknown=is_unknown))
            self._hand_over(message)

    def _hand_over(self, message: Message) -> None:
        try:
            self._on_message(message)
        except Exception:  # noqa: BLE001 - what a receiver raises is its own trouble, not the connection's
            _log.exception("the receiver of %s failed on %r", self.unicast, message)

    # -- requests ------------------------------------------------------------------------------------------------

    def submit(self, requests: Sequence[Request], done: Done, *, atomic: bool = False) -> None:
        """Send requests that belong together, in order."""
        series = list(requests)

        def begin() -> None:
            if self._is_stopping:  # it may have been stopped since this was asked for
                _call(done, _unanswered(series, _STOPPED))
            else:
                self._thread.spawn(self._carry_out(series, done, atomic=atomic))

        if self._is_stopping or not self._thread.call(begin):
            _call(done, _unanswered(series, _STOPPED))

    def submit_all(self, series: Sequence[tuple[Sequence[Request], Done]]) -> None:
        """Send several series that have nothing to do with each other; they are under way at the same time."""
        for requests, done in series:
            self.submit(requests, done)

    async def _carry_out(self, requests: list[Request], done: Done, *, atomic: bool) -> None:
        responses = _unanswered(requests, _STOPPED)
        try:
            responses = await self._responses(requests, atomic=atomic)
        except Exception as error:  # noqa: BLE001 - whoever asked waits for an answer, whatever went wrong here
            _log.exception("a submission to %s failed", self.url)
            responses = _unanswered(requests, f"an error of the connection itself: {error!r}")
        finally:
            _call(done, responses)

    async def _responses(self, requests: list[Request], *, atomic: bool) -> list[Response]:
        if not requests:
            return []
        dialect = await self._ask()
        if isinstance(dialect, str):
            return _unanswered(requests, dialect)
        if not dialect.is_own:
            assert self._translator is not None
            return await self._translator.series(requests)
        single = len(requests) == 1
        reply = await (self._link.reply(requests[0]) if single else self._link.series(requests, atomic=atomic))
        return [
            await self._finished(request, response, reply)
            for request, response in zip(requests, reply.responses, strict=True)
        ]

    async def _finished(self, request: Request, response: Response, reply: Reply) -> Response:
        if isinstance(request, (TaskAcquire, TaskCreate)):
            return await self._tasks.finish(request, Reply([response], is_repeat=reply.is_repeat))
        return response

    # -- what the server is --------------------------------------------------------------------------------------

    async def _ask(self) -> Dialect | str:
        """Return the server's dialect, asking once; or why it cannot be asked, and ask again next time."""
        if self._dialect is not None:
            return self._dialect
        if self._asking is None:
            self._asking = self._thread.spawn(detect(self._link))
        asking = self._asking
        try:
            found = await asyncio.shield(asking)
        finally:
            if asking.done() and self._asking is asking:
                self._asking = None
        if isinstance(found, Dialect) and self._dialect is None:
            self._speak(found)
        return found

    def _speak(self, dialect: Dialect) -> None:
        announce(self._link, dialect)
        self._link.spelling = SPELLING if dialect.splits_at_colon else None
        self._tasks.dialect = dialect
        self._translator = Translator(self._link, dialect, self._tasks, self._bridges)
        self._dialect = dialect

    # -- watching ------------------------------------------------------------------------------------------------

    def watch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Ask to be told, once, when a promise is settled."""

        def begin() -> None:
            if self._is_stopping:
                return
            if self._stream is None:
                self._open_stream()
            self._watches.add(promise_id, on_settled)

        self._thread.call(begin)

    def unwatch(self, promise_id: str, on_settled: Callable[[PromiseRecord], None]) -> None:
        """Forget a watch."""
        self._thread.call(lambda: self._watches.remove(promise_id, on_settled))

    async def _create_slot(self, promise_id: str) -> bool:
        """Create the next slot of an inbox of ours, so that its sender can be listened for."""
        execution_id, sign, number = promise_id.rpartition(".inbox.")
        execution = self._tasks.held(execution_id) if sign and number.isdigit() else None
        if execution is None:
            return False
        create = slot_create(execution, int(number), execution.timeout_at, self._dialect or OWN)
        return (await self._link.send(create)).is_ok


def _ignore(_: Message) -> None:
    """Nobody has started to receive."""


def _unanswered(requests: list[Request], why: str) -> list[Response]:
    return [Response(0, error=why)] + [_NOT_TRIED] * (len(requests) - 1) if requests else []


def _call(done: Done, responses: list[Response]) -> None:
    try:
        done(responses)
    except Exception:  # noqa: BLE001 - code of the worker side must not end the connection
        _log.exception("a callback of a submission failed")
