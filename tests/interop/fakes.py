"""Small servers that answer like others: R is release 0.9.8, M what came after, C what wants ``root:1``, P a database.

They stand on the embedded machine and add what makes them differ: no private kinds, no header of ours. M and C tie ids
to their origin, by a dot and by a colon, refuse empty and mixed heartbeats, and notice a deadline only of promises with
a target. P cannot search, hands out no records with a task, and lets nobody wait for what is not marked as external.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import re
import threading
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from resonate_core.clock import SystemClock
from resonate_core.network.http_requests import Series, read_request
from resonate_core.network.http_responses import answer_data
from resonate_core.network.http_wire import MalformedError, answer_head, read_envelope, write_envelope
from resonate_core.network.local_server import LocalServer
from resonate_core.network.sse import write_event
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import TAG_BRANCH, TAG_EXTERNAL, TAG_ORIGIN, TAG_PARENT, TAG_TARGET, TAG_TIMER
from resonate_core.serve.streams import Streams
from resonate_core.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoreOfM(MemoryStore):
    """Arms deadlines only of promises that have a target."""

    def _create(self, promise):
        super()._create(promise)
        if not self._is_armed(promise.tags):
            self._promise_heap[:] = [entry for entry in self._promise_heap if entry[1] != promise.id]
            heapq.heapify(self._promise_heap)

    def _is_armed(self, tags):
        return TAG_TARGET in tags


class StoreOfP(StoreOfM):
    """Arms deadlines only of promises that somebody else settles."""

    def _is_armed(self, tags):
        return is_external(tags)


def is_external(tags):
    return TAG_TARGET in tags or tags.get(TAG_TIMER) == "true" or tags.get(TAG_EXTERNAL) == "true"


class TiedIds:
    """What M and C refuse: an origin ends at the first separator of an id.

    Args:
        first: between an origin and what belongs to it.
        further: between that and what belongs to it in turn.
    """

    def __init__(self, first: str, further: str) -> None:
        self._first = first
        self._further = further

    def refusal(self, request: r.Request) -> str | None:  # noqa: PLR0911 - a table, one line for each kind
        """Say why a request is refused that R accepts."""
        match request:
            case r.PromiseRegisterCallback():
                text = "Awaiter and awaited must belong to the same origin"
                return self._same([request.awaited, request.awaiter], text)
            case r.TaskSuspend():
                ids = [request.id, *(action.awaited for action in request.actions)]
                return self._same(ids, "a task can await only promises of its own origin")
            case r.TaskHeartbeat(tasks=[]):
                return "Tasks array must not be empty"
            case r.TaskHeartbeat():
                return self._same([task.id for task in request.tasks], "All tasks must belong to the same origin")
            case r.TaskFence():
                outside = self._same([request.id, request.action.id], "Promise ID must be prefixed by resonate:origin")
                return outside or (self._tags(request.action) if isinstance(request.action, r.PromiseCreate) else None)
            case r.PromiseCreate():
                return self._tags(request)
            case r.TaskCreate():
                return self._tags(request.action)
            case r.ScheduleCreate():
                if TAG_TARGET not in request.promise_tags:
                    return "promiseTags must include a resonate:target tag"
                return "a schedule's id must not contain a separator" if self._first in request.id else None
        return None

    def _origin(self, id):
        return id.partition(self._first)[0]

    def _same(self, ids, text):
        return text if len({self._origin(id) for id in ids}) > 1 else None

    def _tags(self, create):
        if self._first in create.tags.get(TAG_ORIGIN, ""):
            return "resonate:origin must not contain a separator"
        if create.id.count(self._first) > 1 and self._first != self._further:
            return "an id has one origin"
        for name in (TAG_ORIGIN, TAG_BRANCH, TAG_PARENT):
            ancestor = create.tags.get(name, create.id)
            sign = self._further if self._first in ancestor else self._first
            if create.id != ancestor and not create.id.startswith(f"{ancestor}{sign}"):
                return f"Promise ID must be prefixed by {name}"
        return None


class Database:
    """What P refuses; it needs the store to say what is external."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def refusal(self, request: r.Request) -> tuple[int, str] | None:
        """Say why a request is refused that R accepts."""
        match request:
            case r.PromiseSearch() | r.TaskSearch() | r.ScheduleSearch():
                return 501, "not implemented"
            case r.PromiseRegisterCallback():
                return self._internal([request.awaited])
            case r.TaskSuspend():
                awaited = [action.awaited for action in request.actions]
                return (400, "awaited twice") if len(set(awaited)) < len(awaited) else self._internal(awaited)
            case r.PromiseCreate() | r.TaskCreate():
                target = getattr(request, "action", request).tags.get(TAG_TARGET, "poll://any@g")
                return (
                    None if re.fullmatch(r"poll://(any@[^/]+|uni@[^/]+/.+)", target) else (400, "nobody listens there")
                )
        return None

    def _internal(self, ids):
        found = [self._store.promise(id) for id in ids]
        if any(record is not None and not is_external(record.tags) for record in found):
            return 422, "an internal promise cannot be awaited"
        return None


class FakeServer:
    """A fake on a port of its own, in a thread; ``seen`` are the kinds of all requests."""

    def __init__(self, dialect: str, *, retry_ms: int = 500) -> None:
        self.dialect = dialect
        self.seen: list[str] = []
        self.url = ""
        store = self._store = {"R": MemoryStore, "M": StoreOfM, "C": StoreOfM, "P": StoreOfP}[dialect]()
        self._tied = {"M": TiedIds(".", "."), "C": TiedIds(":", ".")}.get(dialect)
        self._database = Database(store) if dialect == "P" else None
        self._server = LocalServer(store, SystemClock(), retry_ms=retry_ms)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._streams = Streams(self._server, "")
        app = web.Application()
        app.router.add_post("/", self._post)
        app.router.add_get("/poll/{group}/{pid}", self._poll)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stop.wait()
        self._streams.end_all()
        await runner.cleanup()
        await asyncio.to_thread(self._streams.shut_down)

    async def _post(self, http: web.Request) -> web.Response:
        envelope = read_envelope(await http.read())
        self.seen.append(envelope.kind)
        status, data = await self._answer(envelope)
        body = write_envelope(envelope.kind, answer_head(envelope.correlation_id, status), data)
        return web.Response(status=status, body=body, content_type="application/json")

    async def _answer(self, envelope):
        try:
            request = read_request(envelope.kind, envelope.data)
        except MalformedError as error:
            return error.status, str(error)
        if isinstance(request, Series) or envelope.kind.startswith("x."):
            return 400, f"unknown kind {envelope.kind}"
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        future = self._loop.create_future()

        def done(responses):
            self._loop.call_soon_threadsafe(lambda: future.cancelled() or future.set_result(responses))

        self._server.submit([request], done)
        response = (await future)[0]
        if self._database is not None:
            response = msgspec.structs.replace(response, preload=())
        return answer_data(request, response, envelope.correlation_id)

    def _refusal(self, request):
        if self._database is not None:
            return self._database.refusal(request)
        text = None if self._tied is None else self._tied.refusal(request)
        return None if text is None else (400, text)

    async def _poll(self, http: web.Request) -> web.StreamResponse:
        stream = self._streams.open(http.match_info["group"], http.match_info["pid"])
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await answer.prepare(http)
            while messages := await stream.take():
                await answer.write(b"".join(map(write_event, messages)))
            return answer
        finally:
            self._streams.close(stream)


@contextlib.contextmanager
def fake(dialect: str, *, retry_ms: int = 500) -> Iterator[FakeServer]:
    """Run a fake for a while."""
    server = FakeServer(dialect, retry_ms=retry_ms)
    server._thread.start()
    assert server._ready.wait(10)
    try:
        yield server
    finally:
        server._loop.call_soon_threadsafe(server._stop.set)
        server._thread.join(10)
        server._server.close()
