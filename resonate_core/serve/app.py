"""HTTP in front of the embedded server: one handler per path, one answer per request, whatever the request is."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from resonate_core.network.http_requests import Series, read_request
from resonate_core.network.http_responses import answer_data
from resonate_core.network.http_wire import (
    BODY_BYTES_MAX,
    EXTENSION_HEADER,
    Envelope,
    MalformedError,
    answer_head,
    check_version,
    read_envelope,
    write_envelope,
)
from resonate_core.network.sse import COMMENT, write_event
from resonate_core.protocol.requests import PromiseSearch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from resonate_core.network.local_server import LocalServer
    from resonate_core.protocol.requests import Request, Response
    from resonate_core.serve.guard import Guard
    from resonate_core.serve.streams import Stream, Streams

_log = logging.getLogger(__name__)

#: A body that has not arrived by then is not waited for: slow senders must not hold the server's memory.
BODY_SECONDS_MAX: Final = 30.0
#: A stream without messages says this often that it lives.
COMMENT_SECONDS: Final = 15.0
#: Requests whose bodies are in memory at the same time.
BODY_COUNT_MAX: Final = 256

_EXTENSION: Final = {EXTENSION_HEADER: "1"}


class App:
    """Handlers over one embedded server.

    Args:
        server: answers the requests.
        streams: takes the messages.
        guard: turns callers away.
    """

    def __init__(self, server: LocalServer, streams: Streams, guard: Guard) -> None:
        self._server = server
        self._streams = streams
        self._guard = guard
        self._loop = asyncio.get_running_loop()
        self._bodies = asyncio.Semaphore(BODY_COUNT_MAX)

    def application(self) -> web.Application:
        """Return the routes."""
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[self._middleware()])
        app.router.add_post("/", self._post)
        app.router.add_get("/poll/{group}/{pid}", self._poll)
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)
        for path in ("promises", "tasks", "schedules"):
            app.router.add_route("*", f"/{path}", self._legacy)
            app.router.add_route("*", f"/{path}/{{rest:.*}}", self._legacy)
        return app

    # -- who may come in -----------------------------------------------------------------------------------------

    def _middleware(self) -> Any:
        guard = self._guard

        @web.middleware
        async def admit(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            if guard.is_web_page(request.headers):
                return web.Response(status=403, text="this server does not answer web pages")
            is_request = request.method == "POST" and request.path == "/"  # looks into the envelope as well
            if not is_request and not guard.admits(request.headers):
                return web.Response(status=401, text="Unauthorized")
            return await handler(request)

        return admit

    # -- requests ------------------------------------------------------------------------------------------------

    async def _post(self, http: web.Request) -> web.Response:
        async with self._bodies:
            try:
                async with asyncio.timeout(BODY_SECONDS_MAX):
                    body = await http.read()
            except TimeoutError:
                return web.Response(status=408, text=f"the body did not arrive within {BODY_SECONDS_MAX:.0f} s")
            except web.HTTPRequestEntityTooLarge:
                return self._too_large(http)
            return await self._answer(http, body)

    def _too_large(self, http: web.Request) -> web.Response:
        if not self._guard.admits(http.headers):
            return web.Response(status=401, text="Unauthorized")
        return web.Response(status=413, text=f"a request may have {BODY_BYTES_MAX} bytes; store large values elsewhere")

    async def _answer(self, http: web.Request, body: bytes) -> web.Response:
        try:
            envelope = read_envelope(body)
        except MalformedError as error:
            if not self._guard.admits(http.headers):
                return _refusal(MalformedError("Unauthorized", status=401))
            return _refusal(error)
        if not self._guard.admits(http.headers, envelope.auth):
            return _refusal(_about(envelope, MalformedError("Unauthorized", status=401)))
        try:
            check_version(envelope)
            request = read_request(envelope.kind, envelope.data)
        except MalformedError as error:
            return _refusal(_about(envelope, error))
        if isinstance(request, Series):
            return await self._answer_series(envelope, request)
        responses = await self._submit([request], is_atomic=False)
        status, data = answer_data(request, responses[0], envelope.correlation_id)
        return _reply(envelope.kind, envelope.correlation_id, status, data)

    async def _answer_series(self, envelope: Envelope, series: Series) -> web.Response:
        if not series.requests:
            return _reply(envelope.kind, envelope.correlation_id, 200, {"answers": []})
        responses = await self._submit(series.requests, is_atomic=series.is_atomic)
        answers = []
        for request, response in zip(series.requests, responses, strict=True):
            status, data = answer_data(request, response, envelope.correlation_id)
            head = answer_head(envelope.correlation_id, status)
            answers.append({"kind": envelope.kind, "head": head, "data": data})
        return _reply(envelope.kind, envelope.correlation_id, 200, {"answers": answers})

    async def _submit(self, requests: list[Request], *, is_atomic: bool) -> list[Response]:
        future: asyncio.Future[list[Response]] = self._loop.create_future()

        def done(responses: list[Response]) -> None:
            try:
                self._loop.call_soon_threadsafe(_set, future, responses)
            except RuntimeError:
                _log.debug("an answer came after the end")

        self._server.submit(requests, done, atomic=is_atomic)
        return await future

    # -- messages ------------------------------------------------------------------------------------------------

    async def _poll(self, http: web.Request) -> web.StreamResponse:
        if self._streams.is_full:
            return web.Response(status=503, text="too many streams are open; try again later")
        group, pid = http.match_info["group"], http.match_info["pid"]
        if "\x00" in group + pid:
            return web.Response(status=400, text="group and pid must not contain NUL")
        stream = self._streams.open(group, pid)
        try:
            return await self._follow(http, stream)
        finally:
            self._streams.close(stream)

    async def _follow(self, http: web.Request, stream: Stream) -> web.StreamResponse:
        headers = {**_EXTENSION, "Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        answer = web.StreamResponse(headers=headers)
        await answer.prepare(http)
        await answer.write(COMMENT)
        while True:
            try:
                async with asyncio.timeout(COMMENT_SECONDS):
                    messages = await stream.take()
            except TimeoutError:
                await answer.write(COMMENT)
                continue
            if not messages:
                return answer
            await answer.write(b"".join(map(write_event, messages)))

    # -- for whoever watches -------------------------------------------------------------------------------------

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _ready(self, _: web.Request) -> web.Response:
        """Ask the store for something that costs nothing."""
        try:
            async with asyncio.timeout(5):
                response = (await self._submit([PromiseSearch(limit=1)], is_atomic=False))[0]
        except TimeoutError:
            return web.Response(status=503)
        return web.Response(status=200 if response.is_ok else 503)

    async def _legacy(self, _: web.Request) -> web.Response:
        return web.json_response({"error": "this path belongs to an older protocol; send POST / instead"}, status=410)


def _set(future: asyncio.Future[list[Response]], responses: list[Response]) -> None:
    if not future.done():
        future.set_result(responses)


def _about(envelope: Envelope, error: MalformedError) -> MalformedError:
    return MalformedError(str(error), status=error.status, kind=envelope.kind, correlation_id=envelope.correlation_id)


def _refusal(error: MalformedError) -> web.Response:
    return _reply(error.kind, error.correlation_id, error.status, str(error))


def _reply(kind: str, correlation_id: str, status: int, data: Any) -> web.Response:
    body = write_envelope(kind, answer_head(correlation_id, status), data)
    return web.Response(status=status, body=body, content_type="application/json", headers=_EXTENSION)
