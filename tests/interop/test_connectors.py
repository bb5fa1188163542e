"""Connectors as the network: one written here, ``resonate-pg`` on PostgreSQL, ``resonate-nats`` on a broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from resonate_core import Resonate
from resonate_core.errors import UsageError
from tests import programs as processes
from tests.interop import peers, postgres, programs
from tests.interop.conftest import own
from tests.interop.fakes import fake
from tests.interop.test_tour import EXPECTED
from tests.interop.tour import PARTS
from tests.load.servers import free_port
from tests.needs import ROOT, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
SQL_VARIABLE = "RESONATE_PG_SQL"


class OverHttp:
    """A connector as anybody could write one: envelopes as text, messages to whoever asked for them."""

    def __init__(self, url: str, pid: str, group: str) -> None:
        self._url = url
        self._group, self._pid = group, pid
        self._callbacks: list[Callable[[str], None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._stream: asyncio.Task[None] | None = None
        self.origins: list[str] = []

    def unicast(self) -> str:
        return f"poll://uni@{self._group}/{self._pid}"

    def resolve_target(self, target: str) -> str:
        return f"poll://any@{target}"

    def recv(self, callback: Callable[[str], None]) -> None:
        self._callbacks.append(callback)

    async def start(self) -> None:
        self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        if self._callbacks and self._stream is None:
            self._stream = asyncio.ensure_future(self._receive(self._session))

    async def _receive(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self._url}/poll/{self._group}/{self._pid}") as stream:
            async for line in stream.content:
                if line.startswith(b"data:"):
                    for callback in self._callbacks:
                        callback(line[5:].strip().decode())

    async def send(self, req: str, headers: dict[str, str] | None = None) -> str:
        assert self._session is not None, "started before the first request"
        self.origins.append((headers or {})["resonate:origin"])
        async with self._session.post(f"{self._url}/", data=req.encode(), allow_redirects=False) as answer:
            return await answer.text()

    async def stop(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._stream
        if self._session is not None:
            await self._session.close()


@pytest.fixture(scope="module", params=["R", "M", "C", "P", "serve"])
def url(request) -> Iterator[str]:
    if request.param == "serve":
        with own() as found:
            yield found
    else:
        with fake(request.param) as server:
            yield server.url


@pytest.fixture(scope="module")
def resonate(url) -> Iterator[Resonate]:
    group = f"g{uuid.uuid4().hex[:8]}"
    with Resonate(network=OverHttp(url, "w1", group), group=group, ttl=2) as client:
        client.register(*programs.ALL)
        yield client


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_part_of_the_tour_over_a_connector_gives_what_is_expected(resonate, part):
    assert part(resonate, uuid.uuid4().hex[:12]) == EXPECTED[part.__name__]


def test_client_over_a_connector_takes_no_tasks_and_gets_results(url):
    with Resonate(url, group="workers") as worker:
        worker.register(*programs.ALL)
        client = Resonate(network=OverHttp(url, "c1", "workers"), group="workers")
        id = uuid.uuid4().hex[:12]
        assert client.rpc(id, "total", 4) == 6
        assert client._engine.network._connector._stream is None, "it listens for nobody"
        client.stop()


@pytest.mark.parametrize("dialect", ["R", "M", "C", "P"])
def test_every_request_of_a_lineage_is_placed_by_the_same_word(dialect):
    with fake(dialect) as server:
        connector = OverHttp(server.url, "w1", "placed")
        check_words(connector)


def check_words(connector):
    with Resonate(network=connector, group="placed") as resonate:
        resonate.register(*programs.ALL)
        resonate.begin_run("lineage", programs.fan_out, 3).result(timeout=20)
    words = {word for word in connector.origins if not word.startswith("probe")}
    assert words <= {"lineage", "default"}


@pytest.mark.parametrize(("given", "what"), [({"group": "b"}, "group"), ({"group": "a", "pid": "q"}, "pid")])
def test_connector_for_another_group_or_process_is_refused_with_what_to_write(given, what):
    resonate = Resonate(network=OverHttp("http://127.0.0.1:1", "p", "a"), **given)
    with pytest.raises(UsageError, match=f"OverHttp was made for {what}"):
        resonate.promises.get("x")


def test_thing_that_is_no_connector_is_refused_by_its_kind():
    with pytest.raises(UsageError, match=r"connector of resonate_base.*got int"):
        Resonate(network=7).promises.get("x")  # type: ignore[arg-type]


class Failing(OverHttp):
    """Loses every third request before it is sent and every fifth answer."""

    count = 0

    async def send(self, req: str, headers: dict[str, str] | None = None) -> str:
        self.count += 1
        if self.count % 3 == 0:
            raise ConnectionError("lost on the way")
        answer = await super().send(req, headers)
        if self.count % 5 == 0:
            raise ConnectionError("lost on the way back")
        return answer


@pytest.mark.parametrize("dialect", ["R", "P"])
def test_connector_that_loses_requests_and_answers_loses_no_result(dialect):
    with (
        fake(dialect) as server,
        Resonate(network=Failing(server.url, "w1", "lossy"), group="lossy", ttl=2) as resonate,
    ):
        resonate.register(*programs.ALL)
        assert resonate.begin_run("e", programs.total, 20).result(timeout=30) == 190


# -- the real ones, in an environment of their own -------------------------------------------------------------------


def tour_in_a_process(url: str) -> dict[str, object]:
    """Run the whole tour where the connectors are installed."""
    program = processes.launch(
        [str(peers.connectors_python()), str(HERE / "tour.py"), url, "tourists"],
        folder=ROOT,
        env={},
        name="tour",
        logs=_logs(),
    )
    return json.loads(program.wait(120)[-1])


def _logs() -> Path:
    import tempfile

    return Path(tempfile.mkdtemp(prefix="resonate-connector-"))


@pytest.mark.slow
def test_tour_on_postgres_gives_what_is_expected():
    sql_file = os.environ.get(SQL_VARIABLE)
    if sql_file is None:
        pytest.skip(f"{SQL_VARIABLE} names no file; it is the one of resonate-pg that makes a database a server")
    with postgres.database(Path(sql_file)) as url:
        assert tour_in_a_process(url) == EXPECTED


@contextlib.contextmanager
def broker() -> Iterator[str]:
    """Run a NATS broker with our server behind it."""
    python = peers.connectors_python()
    binary = python.parent / "nats-server"
    if not binary.exists():
        missing("nats-server")
    port = free_port()
    logs = _logs()
    url = f"nats://127.0.0.1:{port}"
    server = processes.launch(
        [str(binary), "-a", "127.0.0.1", "-p", str(port)], folder=logs, env={}, name="nats", logs=logs
    )
    with own() as http:
        time.sleep(0.5)
        command = [str(python), str(HERE / "nats_bridge.py"), url, http]
        bridge = processes.launch(command, folder=logs, env={}, name="bridge", logs=logs)
        try:
            processes.wait_for(lambda: bridge.output() == ["ready"], "bridge", seconds=20, alive=[server, bridge])
            yield url
        finally:
            bridge.stop()
            server.stop()


@pytest.mark.slow
def test_tour_over_nats_gives_what_is_expected():
    with broker() as url:
        assert tour_in_a_process(url) == EXPECTED
