"""What a bad line and a bad server do to executions: nothing that shows in their results."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
import uuid

import pytest

from resonate_core import Resonate, durable, step
from resonate_core.clock import SystemClock
from resonate_core.errors import ProtocolError, TransportError
from resonate_core.network.dialect import MAIN
from resonate_core.network.http import HttpNetwork
from resonate_core.network.http_link import HttpLink
from resonate_core.network.link import Link, TryAgainError
from resonate_core.network.local_server import LocalServer
from resonate_core.protocol.requests import PromiseGet
from resonate_core.serve.runner import BackgroundServer
from resonate_core.store.memory import MemoryStore
from resonate_core.store.sqlite import SqliteStore
from tests.interop import programs
from tests.interop.conftest import own
from tests.interop.fakes import fake
from tests.interop.proxy import BadLine

SECONDS = 20
RUNS: dict[str, int] = {}
LOCK = threading.Lock()


@step()
def count_up(key, number):
    with LOCK:
        RUNS[key] = RUNS.get(key, 0) + 1
    return number


@durable()
def counted(ctx, key, count):
    total = 0
    for number in range(count):
        total += yield ctx.run(count_up, key, number)
    child = yield ctx.rpc(programs.plus_one, total)
    yield ctx.sleep(0.3)
    return child


@pytest.fixture(params=["serve", "fake-R", "fake-C", "fake-P"])
def line(request):
    if request.param == "serve":
        with own() as url, BadLine(url) as bad:
            yield bad
    else:
        with fake(request.param[-1]) as server, BadLine(server.url) as bad:
            yield bad


@pytest.fixture
def resonate(line):
    client = Resonate(line.url, group=f"g{uuid.uuid4().hex[:8]}", ttl=2)
    client.register(counted, count_up, *programs.ALL)
    client.start()
    yield client
    line.heal()
    client.stop()


def run_counted(resonate, count=10):
    key = uuid.uuid4().hex[:12]
    handle = resonate.begin_run(key, counted, key, count)
    return key, handle


def test_every_third_request_lost_runs_each_step_once(line, resonate):
    line.fate = lambda _, number: ("lose", "pass", "pass")[number % 3]
    key, handle = run_counted(resonate)
    assert handle.result(timeout=SECONDS) == 46
    assert RUNS[key] == 10


def test_every_third_answer_lost_runs_each_step_once(line, resonate):
    line.fate = lambda _, number: ("lose answer", "pass", "pass")[number % 3]
    key, handle = run_counted(resonate)
    assert handle.result(timeout=SECONDS) == 46
    assert RUNS[key] == 10


def test_requests_that_arrive_twice_change_nothing(line, resonate):
    line.fate = lambda envelope, _: "pass" if envelope["kind"] in ("task.acquire", "task.create") else "twice"
    key, handle = run_counted(resonate, 5)
    assert handle.result(timeout=SECONDS) == 11
    assert RUNS[key] == 5


def test_storm_of_failures_is_outlived(line, resonate):
    chances = random.Random(11)
    line.fate = lambda _envelope, _number: chances.choice(("pass",) * 7 + (503, 500, "html", 429, 502))
    key, handle = run_counted(resonate, 5)
    assert handle.result(timeout=SECONDS) == 11
    assert RUNS[key] == 5


def test_slow_server_is_waited_for(line, resonate):
    line.delay_s = 0.05
    _, handle = run_counted(resonate, 5)
    assert handle.result(timeout=SECONDS) == 11


def test_messages_repeated_and_out_of_order_change_nothing(line, resonate):
    line.repeats_messages = True
    key, handle = run_counted(resonate)
    assert handle.result(timeout=SECONDS) == 46
    assert RUNS[key] == 10


def test_streams_cut_again_and_again_lose_no_result(line, resonate):
    handles = [run_counted(resonate, 3)[1] for _ in range(5)]
    for _ in range(4):
        time.sleep(0.1)
        line.cut_streams()
    assert [handle.result(timeout=SECONDS) for handle in handles] == [4] * 5


def test_line_down_for_a_while_goes_on_where_it_was(line, resonate):
    key, handle = run_counted(resonate)
    line.go_down()
    time.sleep(0.5)
    line.come_up()
    assert handle.result(timeout=SECONDS) == 46
    assert RUNS[key] == 10


def test_server_restarted_on_its_file_goes_on(tmp_path):
    def serve(port):
        server = LocalServer(SqliteStore(tmp_path / "r.db", synchronous="NORMAL"), SystemClock(), retry_ms=300)
        return server, BackgroundServer(server, port=port).start()

    server, web = serve(0)
    port = int(web.url.rpartition(":")[2])
    with Resonate(web.url, group="restart", ttl=2) as resonate:
        resonate.register(counted, count_up, *programs.ALL)
        handles = [run_counted(resonate, 20) for _ in range(3)]
        web.stop()
        server.close()
        server, web = serve(port)
        assert [handle.result(timeout=SECONDS) for _, handle in handles] == [191] * 3
    web.stop()
    server.close()
    assert [RUNS[key] for key, _ in handles] == [20] * 3


def test_refused_token_stalls_executions_and_says_so_to_callers(tmp_path, caplog):
    server = LocalServer(MemoryStore(), SystemClock(), retry_ms=300)
    with BackgroundServer(server, token="right") as web:
        with Resonate(web.url, group="tokens", token="right", ttl=1) as resonate:
            resonate.register(counted, count_up, *programs.ALL)
            key, handle = run_counted(resonate, 2)
            assert handle.result(timeout=SECONDS) == 2
        stranger = Resonate(web.url, group="tokens", token="expired")
        with pytest.raises(TransportError, match=r"401.*token"):
            stranger.rpc(key, "counted", key, 1)
        stranger.stop()
        assert "expired or not allowed" in caplog.text
    server.close()


def test_token_that_expires_while_steps_run_stalls_executions_until_it_is_good_again(line, resonate, caplog):
    key, handle = run_counted(resonate, 20)
    line.fate = lambda _envelope, _number: 401
    line.poll_status = 401
    line.cut_streams()
    time.sleep(1.0)
    assert not handle.done(), "an expired token is no outcome of an execution"
    line.heal()
    assert handle.result(timeout=SECONDS) == 191
    assert RUNS[key] == 20
    assert "refused with 401" in caplog.text


def test_outage_is_asked_about_ever_less_often():
    with own() as url, BadLine(url) as line:
        line.fate = lambda _envelope, _number: 503
        network = HttpNetwork(line.url, group="g", pid="p", link=HttpLink(line.url, None, repeat_s=1.5))
        began = time.monotonic()
        assert ask(network, PromiseGet("x"))[0].status == 0
        assert 1.2 < time.monotonic() - began < 5
        assert 4 <= line.count <= 9, "0.05, 0.1, 0.2, 0.4 and 0.8 s apart, or up to half of that"
        network.stop()


def test_stream_that_is_refused_is_asked_for_ever_less_often():
    with own() as url, BadLine(url) as line:
        line.poll_status = 503
        network = HttpNetwork(line.url, group="g", pid="p")
        network.start(lambda _: None, is_worker=True)
        time.sleep(1.5)
        assert 3 <= line.poll_count <= 7
        network.stop()


async def test_tries_of_many_processes_come_at_different_times():
    async def tries() -> list[float]:
        link = Deaf("http://h", None, repeat_s=0.5)
        await link.send(PromiseGet("x"))
        return link.pauses()

    pauses = await asyncio.gather(*[tries() for _ in range(10)])
    assert len({round(times[0], 4) for times in pauses}) > 5, "jitter"
    assert all(later > earlier * 0.9 for times in pauses for earlier, later in itertools.pairwise(times[1:]))


class Deaf(Link):
    """Nobody answers; it remembers when it was tried."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._times = []

    async def attempt(self, kind, body, origin, read):
        self._times.append(time.monotonic())
        raise TryAgainError("nobody", may_have_arrived=False)

    def pauses(self):
        return [later - earlier for earlier, later in itertools.pairwise(self._times)]

    async def close(self): ...


def ask(network, *requests):
    answers = []
    done = threading.Event()
    network.submit(list(requests), lambda responses: (answers.extend(responses), done.set()))
    assert done.wait(SECONDS)
    return answers


@pytest.mark.parametrize("fate", [404, "html"])
def test_address_of_something_else_is_named(fate):
    with own() as url, BadLine(url) as line:
        line.fate = lambda _envelope, _number: fate
        link = HttpLink(line.url, None, repeat_s=0.3)
        network = HttpNetwork(line.url, group="g", pid="p", link=link)
        answers = []
        done = threading.Event()
        network.submit([PromiseGet("x")], lambda responses: (answers.extend(responses), done.set()))
        assert done.wait(5)
        network.stop()
    assert answers[0].status == 0
    assert line.url in answers[0].error


def test_body_over_the_servers_limit_is_refused_by_name_without_being_sent():
    with own() as url, BadLine(url) as line, Resonate(line.url, group="big") as resonate:
        resonate.promises.create("known", 2**50)
        sent = line.count
        with pytest.raises(ProtocolError, match=r"value of promise 'known'.*2097152"):
            resonate.promises.resolve("known", data='"' + "x" * 2_000_000 + '"')
        assert line.count == sent


def test_series_too_large_for_one_body_is_sent_in_parts():
    with own() as url, Resonate(url, group="parts") as resonate:
        resonate.register(wide, big)
        assert resonate.begin_run(uuid.uuid4().hex, wide).result(timeout=SECONDS) == 6_000_000


@step()
def big(number):
    return str(number) * 1_000_000


@durable()
def wide(ctx):
    promises = []
    for number in range(6):
        promises.append((yield ctx.begin_run(big, number)))
    texts = yield ctx.gather(*promises)
    return sum(map(len, texts))


def test_stopped_network_answers_what_is_under_way():
    with own() as url, BadLine(url) as line:
        line.delay_s = 5
        network = HttpNetwork(line.url, group="g", pid="p")
        answers = []
        network.submit([PromiseGet("x"), PromiseGet("y")], answers.extend)
        began = time.monotonic()
        network.stop()
        assert time.monotonic() - began < 4
    assert [answer.status for answer in answers] == [0, 424]
    late = []
    network.submit([PromiseGet("x")], late.extend)
    assert [answer.status for answer in late] == [0]


def test_server_replaced_by_another_kind_is_spoken_to_in_its_way():
    with (
        fake("R") as first,
        fake("M") as second,
        BadLine(first.url) as line,
        Resonate(line.url, group="moves") as client,
    ):
        client.register(*programs.ALL)
        assert client.begin_run("before", programs.total, 3).result(timeout=SECONDS) == 3
        line.target = second.url
        line.cut_streams()
        ends = time.monotonic() + SECONDS
        while client._engine.network._dialect != MAIN:
            assert time.monotonic() < ends
            time.sleep(0.02)
        child = programs.awaits_named_child
        assert client.begin_run("after", child, "of-its-own", 0.3).result(timeout=SECONDS) == "late"


def test_requests_of_many_threads_while_the_network_stops_are_all_answered():
    with own() as url:
        network = HttpNetwork(url, group="g", pid="p")
        answers = []
        sent = 0

        def send():
            nonlocal sent
            for _ in range(200):
                with LOCK:
                    sent += 1
                network.submit([PromiseGet("x")], lambda responses: answers.append(responses[0].status))

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        network.stop()
        for thread in threads:
            thread.join()
        ends = time.monotonic() + 5
        while len(answers) < sent and time.monotonic() < ends:
            time.sleep(0.01)
    assert len(answers) == sent == 800
    assert set(answers) <= {0, 404}
