"""A Resonate Server in debug mode, as a system under test: its clock stands where the test says, its loops rest."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from resonate_core.network.http_requests import request_data, write_request
from resonate_core.network.http_responses import read_answer
from resonate_core.protocol.requests import Response
from tests import programs
from tests.load import servers

if TYPE_CHECKING:
    from pathlib import Path

    from resonate_core.protocol.requests import Message, Request

VERSION = "2026-04-01"
SECONDS = 30


class RealServer:
    """One process for many cases."""

    def __init__(self, binary: str, folder: Path, *, retry_ms: int) -> None:
        self._port = servers.free_port()
        command = [*servers.real_command(binary, self._port), "--debug"]
        command[command.index("--tasks-retry-timeout") + 1] = str(retry_ms)
        self._process = programs.launch(command, folder=folder, env={}, name="server", logs=folder)
        url = f"http://127.0.0.1:{self._port}"
        programs.wait_for(lambda: servers.is_up(url), "server", seconds=SECONDS, alive=[self._process])
        self._connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        self.debug("debug.start")

    def debug(self, kind: str, data: dict[str, Any] | None = None) -> Any:
        """Send what only a server in debug mode answers."""
        head = {"corrId": "d", "version": VERSION}
        status, answer = self.post(json.dumps({"kind": kind, "head": head, "data": data or {}}).encode())
        assert status == 200, answer
        return answer

    def post(self, body: bytes) -> tuple[int, Any]:
        """Send a body; return status and JSON."""
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()
        self._process.stop()


class OverReal:
    """One case on a server that has been emptied."""

    #: Messages stay in its outbox until somebody listens, so what came since the last look is not told.
    tells_messages = False

    def __init__(self, server: RealServer, *, now_ms: int) -> None:
        self._server = server
        self._now = now_ms
        server.debug("debug.reset")

    def ask(self, request: Request) -> Response:
        try:
            envelope = json.loads(write_request(request, "c-1", None))
        except UnicodeEncodeError as error:
            return Response(400, error=str(error))
        envelope["head"]["resonate:debug_time"] = self._now
        _, answer = self._server.post(json.dumps(envelope).encode())
        return read_answer(json.dumps(answer).encode(), request_data(request)[0], "c-1")

    def stand_at(self, now_ms: int) -> None:
        self._now = now_ms

    def tick(self) -> None:
        self._server.debug("debug.tick", {"time": self._now})

    def attach(self, group: str, pid: str) -> None:
        """Nobody listens."""

    def take_messages(self) -> list[tuple[str, Message]]:
        raise AssertionError("messages are not told")

    def snapshot(self) -> None:
        return None

    def close(self) -> None:
        """The server goes on to the next case."""
