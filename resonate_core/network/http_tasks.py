"""Taking tasks over HTTP: what is missing in an answer is fetched, what got lost with one is found again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from resonate_core.network.dialect import OWN
from resonate_core.network.http_adapt import is_timer
from resonate_core.network.journal import UnansweredError
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import TAG_BRANCH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from resonate_core.network.dialect import Dialect
    from resonate_core.network.journal import Journal
    from resonate_core.network.link import Link, Reply
    from resonate_core.protocol.records import PromiseRecord, TaskRecord

_log = logging.getLogger("resonate_core")

#: Tasks that are taken and read at the same time, where each has to be read promise by promise.
_READING_COUNT: Final = 8
#: Tasks whose promises are remembered: more than one process holds.
_KNOWN_COUNT: Final = 20_000
_PAGE: Final = 1_000


class Tasks:
    """Acquires tasks for one process; ``dialect`` is what the server is."""

    def __init__(self, link: Link, journal: Journal) -> None:
        self._link = link
        self.journal = journal
        self.dialect: Dialect = OWN
        self._reading = asyncio.Semaphore(_READING_COUNT)
        self._records: OrderedDict[str, PromiseRecord] = OrderedDict()
        self._timers: OrderedDict[str, None] = OrderedDict()

    def held(self, id: str) -> PromiseRecord | None:
        """Return the promise of a task that this process has taken."""
        return self._records.get(id)

    def is_timer(self, id: str) -> bool:
        """Whether a task turned out to belong to a timer, which nobody runs."""
        return id in self._timers

    async def acquire(self, request: r.TaskAcquire) -> r.Response:
        """Acquire a task that was offered."""
        return await self._take(request)

    async def create(self, request: r.TaskCreate) -> r.Response:
        """Create a promise and hold its task."""
        return await self._take(request)

    async def _take(self, request: r.TaskAcquire | r.TaskCreate) -> r.Response:
        """Take a task; where its history has to be read, only as many as can be read before their leases run out."""
        async with contextlib.nullcontext() if self.dialect.has_search else self._reading:
            return await self.finish(request, await self._link.reply(request))

    async def finish(self, request: r.TaskAcquire | r.TaskCreate, reply: Reply) -> r.Response:
        """Make of the server's answer one that the worker can go on from."""
        response = reply.responses[0]
        if response.status == 409 and reply.is_repeat:
            response = await self._found_again(request) or response
        promise, task = response.promise, response.task
        if promise is None or task is None or task.state != "acquired":
            return response
        if is_timer(promise.tags):
            # Fulfilling it would end the sleep early, releasing it would bring it back at once: the lease runs out.
            _remember(self._timers, promise.id, None)
            return r.Response(409, error=f"task {promise.id!r} is a timer; its deadline resolves it")
        _remember(self._records, promise.id, promise)
        if TAG_BRANCH not in promise.tags or not self.dialect.has_search:
            async with self._beating(request, task):
                return await self._with_history(response, promise.id, is_first=task.version == 1)
        return response

    @contextlib.asynccontextmanager
    async def _beating(self, request: r.TaskAcquire | r.TaskCreate, task: TaskRecord) -> AsyncIterator[None]:
        """Keep a task that the worker does not know of yet: a long history takes longer than a lease."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(request.ttl / 3000)
                await self._link.send(r.TaskHeartbeat(request.pid, [r.HeartbeatTask(task.id, task.version)]))

        beats = asyncio.ensure_future(beat())
        try:
            yield
        finally:
            beats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beats

    async def _found_again(self, request: r.TaskAcquire | r.TaskCreate) -> r.Response | None:
        """Return the task if it is ours already: an earlier try arrived, and its answer was lost."""
        id = request.id if isinstance(request, r.TaskAcquire) else request.action.id
        version = request.version + 1 if isinstance(request, r.TaskAcquire) else None
        task = (await self._link.send(r.TaskGet(id))).task
        if task is None or task.state != "acquired" or task.pid != request.pid:
            return None
        if version is not None and task.version != version:
            return None
        promise = (await self._link.send(r.PromiseGet(id))).promise
        if promise is None:
            return None
        return await self._with_history(r.Response(200, task=task, promise=promise), id, is_first=task.version == 1)

    async def _with_history(self, response: r.Response, branch: str, *, is_first: bool) -> r.Response:
        """Add what an execution has recorded; servers give it out only for promises tagged with their branch.

        Half a history would be worse than none: then the task is left until its lease runs out.
        """
        if not self.dialect.has_search:
            return await self._with_journal(response, branch, is_first=is_first)
        found: list[PromiseRecord] = []
        cursor: str | None = None
        while True:
            query = r.PromiseSearch(tags={TAG_BRANCH: branch}, limit=_PAGE, cursor=cursor)
            page = await self._link.send(query)
            if not page.is_ok:
                return _unread(branch, page.error)
            found.extend(record for record in page.promises if record.id != branch)
            cursor = page.cursor
            if cursor is None:
                return msgspec.structs.replace(response, preload=tuple(found))

    async def _with_journal(self, response: r.Response, branch: str, *, is_first: bool) -> r.Response:
        try:
            found = await self.journal.history(branch, is_first=is_first)
        except UnansweredError as error:
            return _unread(branch, error.response.error)
        return msgspec.structs.replace(response, preload=tuple(found))


def _unread(branch: str, why: str | None) -> r.Response:
    text = f"the records of {branch!r} cannot be read: {why}; trying again when its lease is over"
    _log.error("%s", text)
    return r.Response(0, error=text)


def _remember(known: OrderedDict[str, Any], id: str, value: Any) -> None:
    known.pop(id, None)
    known[id] = value
    while len(known) > _KNOWN_COUNT:
        known.popitem(last=False)
