"""What strangers may do to a server: nonsense without end, and more streams than anybody needs."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import random
import sqlite3
import time

import aiohttp
import pytest

from resonate_core.clock import SystemClock
from resonate_core.network.local_server import LocalServer
from resonate_core.serve.runner import BackgroundServer
from resonate_core.serve.streams import QUEUE_BYTES_MAX, QUEUE_COUNT_MAX, STREAM_COUNT_MAX, Stream
from resonate_core.store.memory import MemoryStore
from resonate_core.store.sqlite import SqliteStore

VERSION = "2026-04-01"
FAR = 2**52
#: Tables that say who is there: they change by themselves.
PRESENCE = ("peers", "bulletin")

SAMPLES = [
    ("promise.get", {"id": "p"}),
    ("promise.create", {"id": "q", "timeoutAt": FAR, "tags": {"k": "v"}, "param": {
        "headers": {"a": "b"}, "data": "x"}}),
    ("promise.settle", {"id": "p", "state": "resolved", "value": {"data": "MQ=="}}),
    ("promise.register_callback", {"awaited": "p", "awaiter": "t"}),
    ("promise.register_listener", {"awaited": "p", "address": "poll://uni@g/p"}),
    ("promise.search", {"state": "pending", "tags": {"k": "v"}, "limit": 10, "cursor": "a"}),
    ("task.get", {"id": "t"}),
    ("task.create", {"pid": "w", "ttl": 1000, "action": {"kind": "promise.create", "head": {}, "data": {
        "id": "u", "timeoutAt": FAR, "tags": {"resonate:target": "poll://any@g"}}}}),
    ("task.acquire", {"id": "t", "version": 0, "pid": "w", "ttl": 1000}),
    ("task.fence", {"id": "t", "version": 1, "action": {"kind": "promise.create", "head": {}, "data": {
        "id": "t.1", "timeoutAt": FAR}}}),
    ("task.heartbeat", {"pid": "w", "tasks": [{"id": "t", "version": 1}]}),
    ("task.suspend", {"id": "t", "version": 1, "actions": [
        {"kind": "promise.register_callback", "head": {}, "data": {"awaited": "p", "awaiter": "t"}}]}),
    ("task.fulfill", {"id": "t", "version": 1, "action": {"kind": "promise.settle", "head": {}, "data": {
        "id": "t", "state": "resolved"}}}),
    ("task.release", {"id": "t", "version": 1}),
    ("task.halt", {"id": "t"}),
    ("task.continue", {"id": "t"}),
    ("task.search", {"state": "pending", "limit": 3}),
    ("schedule.create", {
        "id": "s", "cron": "0 0 1 JAN *", "promiseId": "{{.id}}-{{.timestamp}}", "promiseTimeout": 1000}),
    ("schedule.get", {"id": "s"}),
    ("schedule.delete", {"id": "s"}),
    ("schedule.search", {"limit": 5}),
    ("x.fence_settled", {"id": "t", "version": 1, "action": {"id": "t.2", "timeoutAt": FAR}, "state": "resolved"}),
    ("x.message_append", {"id": "t", "value": {"headers": {"resonate:message": "m"}}, "timeoutAt": FAR, "hint": 0}),
    ("x.fulfill_if_read", {"id": "t", "version": 1, "action": {"id": "t", "state": "resolved"}, "slot": 0}),
    ("x.series", {"requests": [{"kind": "promise.get", "data": {"id": "p"}}], "atomic": True}),
]  # fmt: skip

ODD = [
    None, True, 0, -1, 5.0, 1e308, 2**63, 2**64, -(2**63), 10**400, "", "\0", "a\0b", "é", "\ud800", "\U0001f600" * 50,
    "x" * 5000, [], [None], {}, {"": ""}, {"a": 1}, {"kind": "x"}, "poll://", "poll://any@", "poll://any@g",
    "http://", "bash://", "resolved", "rejected_timedout", "pending", "99 99 * * *", "@daily", "9" * 400, "\u0663",
    ["p", "t"], [[[[]]]],
]  # fmt: skip


class Mutator:
    """Changes samples at random places; the same seed makes the same nonsense."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def body(self) -> bytes:
        kind, data = self._random.choice(SAMPLES)
        envelope = {"kind": kind, "head": {"corrId": "c", "version": VERSION}, "data": json.loads(json.dumps(data))}
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 3))):
            self._change(envelope)
        text = json.dumps(envelope).encode()
        return self._damaged(text) if self._random.random() < 0.1 else text

    def _change(self, node: object) -> None:
        while True:
            if isinstance(node, dict) and node:
                key = self._random.choice(list(node))
            elif isinstance(node, list) and node:
                key = self._random.randrange(len(node))
            else:
                return
            if isinstance(node[key], (dict, list)) and node[key] and self._random.random() < 0.7:
                node = node[key]
                continue
            if self._random.random() < 0.25 and isinstance(node, dict):
                del node[key]
            else:
                node[key] = copy.deepcopy(self._random.choice(ODD))
            return

    def _damaged(self, text: bytes) -> bytes:
        at = self._random.randrange(len(text))
        piece = self._random.choice((b"", b"\xff", b"\x00", b"{" * 2000, b"]", b'"', text))
        return text[:at] + piece + text[at + self._random.randrange(3) :]


def content(store: MemoryStore) -> object:
    """Return all that a store holds, to be compared."""
    return {name: repr(value) for name, value in vars(store).items() if not name.endswith(("heap", "heaps", "journal"))}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nonsense_is_answered_below_500_and_a_refusal_changes_nothing(seed):
    store = MemoryStore()
    server = LocalServer(store, SystemClock())
    mutator = Mutator(seed)
    statuses: dict[int, int] = {}
    with BackgroundServer(server) as web:
        async with aiohttp.ClientSession() as session:
            await seeded(session, web.url)
            for _ in range(400):
                body = mutator.body()
                before = content(store)
                async with session.post(web.url, data=body) as answer:
                    envelope = await answer.json()
                    assert answer.status == envelope["head"]["status"], body
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
                assert answer.status < 500, (seed, body, envelope)
                if answer.status >= 400:
                    assert content(store) == before, (seed, body)
            async with session.get(f"{web.url}/ready") as answer:
                assert answer.status == 200
    server.close()
    assert set(statuses) >= {200, 400, 404}
    print(seed, statuses)


async def test_nonsense_on_a_file_is_answered_below_500_and_a_refusal_changes_nothing(tmp_path):
    path = tmp_path / "f.db"
    server = LocalServer(SqliteStore(path, synchronous="NORMAL"), SystemClock())
    mutator = Mutator(4)
    with BackgroundServer(server) as web:
        async with aiohttp.ClientSession() as session:
            await seeded(session, web.url)
            before = rows(path)
            for _ in range(300):
                body = mutator.body()
                async with session.post(web.url, data=body) as answer:
                    assert answer.status < 500, (body, await answer.text())
                after = rows(path)
                if answer.status >= 400:
                    assert after == before, body
                before = after
    server.close()


def rows(path) -> dict[str, list[object]]:
    """Return what stands in each table of a file, beside who is present just now."""
    with contextlib.closing(sqlite3.connect(path)) as reader:
        names = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: reader.execute(f"SELECT * FROM {name}").fetchall() for name in names if name not in PRESENCE}


async def seeded(session, url):
    target = {"resonate:target": "poll://any@g"}
    for data in ({"id": "p", "timeoutAt": FAR}, {"id": "t", "timeoutAt": FAR, "tags": target}):
        envelope = {"kind": "promise.create", "head": {"corrId": "c", "version": VERSION}, "data": data}
        async with session.post(url, json=envelope) as answer:
            assert answer.status == 200


def enough_files() -> bool:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return True
    wanted = STREAM_COUNT_MAX * 2 + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return True
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return True


@pytest.mark.slow
@pytest.mark.skipif(not enough_files(), reason="this machine does not allow 2,200 open files")
async def test_thousand_streams_are_served_one_more_is_refused_and_requests_stay_quick():
    server = LocalServer(MemoryStore(), SystemClock())
    with BackgroundServer(server) as web:
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
            streams = await asyncio.gather(*[session.get(f"{web.url}/poll/g/{n}") for n in range(STREAM_COUNT_MAX)])
            assert {stream.status for stream in streams} == {200}
            async with session.get(f"{web.url}/poll/g/one-too-many") as refused:
                assert refused.status == 503
            times = sorted(await request_times(session, web.url))
            uni = {"id": "for-7", "timeoutAt": FAR, "tags": {"resonate:target": "poll://uni@g/7"}}
            await post(session, web.url, "promise.create", uni)
            async with asyncio.timeout(5):
                heard = b""
                while b"for-7" not in heard:
                    heard += await streams[7].content.readany()
            for stream in streams:
                stream.close()
    server.close()
    print(f"under {STREAM_COUNT_MAX} streams: median {times[50] * 1000:.1f} ms, slowest {times[-1] * 1000:.1f} ms")
    assert times[50] < 0.1
    assert times[-1] < 5  # all of them have joined a moment ago


async def request_times(session, url):
    times = []
    for number in range(100):
        began = time.perf_counter()
        target = {"resonate:target": "poll://any@g"}
        await post(session, url, "promise.create", {"id": f"r{number}", "timeoutAt": FAR, "tags": target})
        times.append(time.perf_counter() - began)
    return times


async def post(session, url, kind, data):
    envelope = {"kind": kind, "head": {"corrId": "c", "version": VERSION}, "data": data}
    async with session.post(url, json=envelope) as answer:
        assert answer.status == 200
        return await answer.json()


def test_stream_that_nobody_reads_is_bounded_by_messages_and_by_bytes():
    many, large = Stream(("g", "p")), Stream(("g", "q"))
    for _ in range(QUEUE_COUNT_MAX + 7):
        many.push(b"x")
    assert many.dropped_count == 7
    for _ in range(4):
        large.push(b"x" * (QUEUE_BYTES_MAX + 1))
    assert large.dropped_count == 3


async def test_slow_reader_costs_a_bounded_queue_and_holds_nobody_up():
    server = LocalServer(MemoryStore(), SystemClock(), retry_ms=60_000)
    with BackgroundServer(server) as web:
        async with aiohttp.ClientSession(read_bufsize=1024) as session:
            stream = await session.get(f"{web.url}/poll/g/slow")
            for number in range(300):
                data = {
                    "id": f"p{number}-" + "x" * 20_000,
                    "timeoutAt": FAR,
                    "tags": {"resonate:target": "poll://any@g"},
                }
                await post(session, web.url, "promise.create", data)
            async with session.get(f"{web.url}/ready") as answer:
                assert answer.status == 200
            stream.close()
    server.close()
