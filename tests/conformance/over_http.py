"""The embedded server behind HTTP, as a system under test: every request and answer goes over the wire."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from resonate_core.network.http_requests import request_data, write_request
from resonate_core.network.http_responses import read_answer
from resonate_core.protocol.requests import Response, TaskFence
from resonate_core.serve.runner import BackgroundServer
from resonate_core.store.memory import MemoryStore
from tests.conformance.driver import Embedded

if TYPE_CHECKING:
    from resonate_core.protocol.requests import Request


class OverHttp(Embedded):
    """One connection, one request at a time; time and messages stay in the hands of the test."""

    def __init__(self, *, now_ms: int) -> None:
        super().__init__(MemoryStore(), now_ms=now_ms)
        self._web = BackgroundServer(self.server).start()
        self._connection = HTTPConnection(urlsplit(self._web.url).netloc, timeout=10)

    def ask_all(self, requests: list[Request], *, atomic: bool = False) -> list[Response]:
        assert not atomic, "a series over the wire is no part of the published protocol"
        answers = [self._ask(request) for request in requests]
        self.server.pump()
        return answers

    def _ask(self, request: Request) -> Response:
        try:
            body = write_request(request, "c-1", None)
        except UnicodeEncodeError as error:
            return Response(400, error=str(error))  # half a surrogate pair cannot even be sent
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        response = read_answer(answer.read(), request_data(request)[0], "c-1")
        assert answer.status == response.status or isinstance(request, TaskFence), "A9; a fence has a status inside"
        return response

    def post(self, body: bytes, path: str = "/", method: str = "POST") -> tuple[int, Any]:
        """Send anything; return the HTTP status and what came back as JSON."""
        self._connection.request(method, path, body)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()
        self._web.stop()
        super().close()
