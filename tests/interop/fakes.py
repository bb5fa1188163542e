"""Two small servers that answer like released ones: R is 0.9.8, M is what came after it.

They stand on the embedded machine and add what makes them differ: no private kinds, no header of ours; M ties ids to
their origin, refuses empty and mixed heartbeats, and notices a deadline only of promises with a target.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import threading
from typing import TYPE_CHECKING

from aiohttp import web

from resonate_core.clock import SystemClock
from resonate_core.network.http_requests import Series, read_request
from resonate_core.network.http_responses import answer_data
from resonate_core.network.http_wire import MalformedError, answer_head, read_envelope, write_envelope
from resonate_core.network.local_server import LocalServer
from resonate_core.network.sse import write_event
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import TAG_BRANCH, TAG_ORIGIN, TAG_PARENT, TAG_TARGET
from resonate_core.serve.streams import Streams
from resonate_core.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoreOfM(MemoryStore):
    """Arms deadlines only of promises that have a target."""

    def _create(self, promise):
        super()._create(promise)
        if TAG_TARGET not in promise.tags:
            self._promise_heap[:] = [entry for entry in self._promise_heap if entry[1] != promise.id]
            heapq.heapify(self._promise_heap)


def origin(id):
    return id.partition(".")[0]


def refusal_of_m(request: r.Request) -> str | None:  # noqa: PLR0911 - a table, one line for each kind
    """Say why M refuses what R accepts."""
    match request:
        case r.PromiseRegisterCallback():
            return _same([request.awaited, request.awaiter], "Awaiter and awaited must belong to the same origin")
        case r.TaskSuspend():
            ids = [request.id, *(action.awaited for action in request.actions)]
            return _same(ids, "a task can await only promises of its own origin")
        case r.TaskHeartbeat(tasks=[]):
            return "Tasks array must not be empty"
        case r.TaskHeartbeat():
            return _same([task.id for task in request.tasks], "All tasks must belong to the same origin")
        case r.TaskFence():
            outside = _same([request.id, request.action.id], "Promise ID must be prefixed by resonate:origin")
            return outside or (_tags(request.action) if isinstance(request.action, r.PromiseCreate) else None)
        case r.PromiseCreate():
            return _tags(request)
        case r.TaskCreate():
            return _tags(request.action)
        case r.ScheduleCreate():
            if TAG_TARGET not in request.promise_tags:
                return "promiseTags must include a resonate:target tag"
            return "a schedule's id must not contain a dot" if "." in request.id else None
    return None


def _same(ids, text):
    return text if len({origin(id) for id in ids}) > 1 else None


def _tags(create):
    if "." in create.tags.get(TAG_ORIGIN, ""):
        return "resonate:origin must not contain a dot"
    for name in (TAG_ORIGIN, TAG_BRANCH, TAG_PARENT):
        ancestor = create.tags.get(name, create.id)
        if create.id != ancestor and not create.id.startswith(f"{ancestor}."):
            return f"Promise ID must be prefixed by {name}"
    return None


class FakeServer:
    """A fake on a port of its own, in a thread; ``seen`` are the kinds of all requests."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.seen: list[str] = []
        self.url = ""
        store = StoreOfM() if dialect == "M" else MemoryStore()
        self._server = LocalServer(store, SystemClock(), retry_ms=500)
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
        refusal = refusal_of_m(request) if self.dialect == "M" else None
        if refusal is not None:
            return 400, refusal
        future = self._loop.create_future()

        def done(responses):
            self._loop.call_soon_threadsafe(lambda: future.cancelled() or future.set_result(responses))

        self._server.submit([request], done)
        return answer_data(request, (await future)[0], envelope.correlation_id)

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
def fake(dialect: str) -> Iterator[FakeServer]:
    """Run a fake for a while."""
    server = FakeServer(dialect)
    server._thread.start()
    assert server._ready.wait(10)
    try:
        yield server
    finally:
        server._loop.call_soon_threadsafe(server._stop.set)
        server._thread.join(10)
        server._server.close()
