"""A bad line between a client and a server: drops, repeats, delays and makes up answers, as a test tells it to."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

#: What becomes of one request: "pass", "lose" (never arrives), "lose answer", "twice", a status, or "html".
Fate = str | int


class BadLine:
    """A proxy on a port of its own, in a thread.

    Attributes:
        fate: what becomes of a request, by its kind's envelope and its number.
        delay_s: how long each request takes longer.
        repeats_messages: every message comes three times, the first two swapped with the one before.
        count, poll_count: requests, and streams that were asked for.
        poll_status: what streams are refused with; 0 lets them through.
        is_up: whether connections are taken at all.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.fate: Callable[[dict[str, Any], int], Fate] = lambda _envelope, _number: "pass"
        self.delay_s = 0.0
        self.repeats_messages = False
        self.count = 0
        self.poll_count = 0
        self.poll_status = 0
        self.url = ""
        self._port = 0
        self._streams: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        self._loop.close()

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def heal(self) -> None:
        """Be a good line from now on."""
        self.fate = lambda _envelope, _number: "pass"
        self.delay_s = 0.0
        self.poll_status = 0

    def go_down(self) -> None:
        """Take no connections and cut those that are there."""
        self._call(self._runner.cleanup())

    def come_up(self) -> None:
        """Take connections again, on the same port."""
        self._call(self._listen())

    def cut_streams(self) -> None:
        """End all streams of messages."""

        async def cut() -> None:
            for task in list(self._streams):
                task.cancel()

        self._call(cut())

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        await self._listen()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def _listen(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/", self._post)
        app.router.add_get("/poll/{group}/{pid}", self._poll)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.count += 1
        fate = self.fate(await request.json(), self.count)
        await asyncio.sleep(self.delay_s)
        if fate == "lose":
            return _reset(request)
        if fate == "html":
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
        if isinstance(fate, int):
            return web.Response(status=fate, text="an answer of somebody in between")
        for _ in range(2 if fate == "twice" else 1):
            async with self._session.post(f"{self.target}/", data=body, headers=_headers(request)) as answer:
                content, status, headers = await answer.read(), answer.status, answer.headers
        if fate == "lose answer":
            return _reset(request)
        kept = {name: value for name, value in headers.items() if name in ("Content-Type", "Resonate-Core")}
        return web.Response(status=status, body=content, headers=kept)

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        self.poll_count += 1
        if self.poll_status:
            return web.Response(status=self.poll_status)
        task = asyncio.current_task()
        self._streams.add(task)
        try:
            async with self._session.get(self.target + request.path, headers=_headers(request)) as source:
                if source.status != 200:
                    return web.Response(status=source.status)
                answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
                await answer.prepare(request)
                await self._pump(source.content, answer)
                return answer
        except asyncio.CancelledError:
            return _reset(request)
        finally:
            self._streams.discard(task)

    async def _pump(self, source: aiohttp.StreamReader, answer: web.StreamResponse) -> None:
        before = b""
        while block := await source.readany():
            await answer.write(block)
            if self.repeats_messages:
                await answer.write(block + before + block)
            before = block


def _headers(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name in ("Authorization", "Content-Type")}


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
