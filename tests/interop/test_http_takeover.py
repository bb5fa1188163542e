"""A worker dies while its executions wait: another one takes over, bells included."""

from __future__ import annotations

import json
import threading
import time
import uuid

import pytest

from resonate_core import Resonate
from resonate_core.network.http import HttpNetwork
from resonate_core.protocol.requests import FenceSettled, PromiseCreate, TaskAcquire, TaskCreate, TaskGet, TaskRelease
from tests.interop import programs
from tests.interop.fakes import fake

SECONDS = 15


def worker(url, group, *, pid=None):
    client = Resonate(url, group=group, pid=pid, ttl=1)
    client.register(*programs.ALL)
    client.start()
    return client


def die(client):
    """End a worker as a power cut would: nothing is given back, nothing is said."""
    client._engine.network.stop()
    client._engine.worker.network = _Dead()


class _Dead:
    pid = "dead"

    def submit(self, *_, **__): ...
    def submit_all(self, *_): ...
    def watch(self, *_): ...
    def unwatch(self, *_): ...


@pytest.fixture
def group():
    return f"g{uuid.uuid4().hex[:8]}"


def test_bell_of_a_dead_worker_is_rung_by_another_of_its_group(group):
    with fake("M") as server:
        first = worker(server.url, group)
        first.begin_run("waits", programs.approval, 60)
        wait_until_suspended(first, "waits")
        second = worker(server.url, group)
        time.sleep(0.3)
        die(first)
        second.promises.resolve("waits/approve", data=json.dumps("ann"))
        assert second.get("waits").result(timeout=SECONDS) == "ann"
        second.stop()
        first.stop(0)


def test_bell_is_adopted_by_a_worker_that_starts_after_the_promise_has_settled(group):
    with fake("M") as server:
        first = worker(server.url, group)
        first.begin_run("waits", programs.approval, 60)
        wait_until_suspended(first, "waits")
        die(first)
        time.sleep(0.3)
        client = Resonate(server.url, group="others")
        client.promises.resolve("waits/approve", data=json.dumps("ann"))
        second = worker(server.url, group)
        assert client.get("waits").result(timeout=SECONDS) == "ann"
        for one in (second, client):
            one.stop()
        first.stop(0)


def wait_until_suspended(client, id):
    ends = time.monotonic() + SECONDS
    while ask(client._engine.network, TaskGet(id))[0].task.state != "suspended":
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.parametrize("dialect", ["R", "M"])
def test_lease_of_a_dead_worker_lapses_and_another_goes_on(group, dialect):
    with fake(dialect) as server:
        first = worker(server.url, group)
        first.begin_run("works", programs.works, 0.4)
        time.sleep(0.1)
        die(first)
        second = worker(server.url, group)
        assert second.get("works").result(timeout=SECONDS) == "done"
        second.stop()
        first.stop(0)


@pytest.mark.parametrize("dialect", ["R", "M", "C"])
def test_worker_that_starts_takes_what_was_waiting_at_once(group, dialect):
    with fake(dialect, retry_ms=60_000) as server:
        client = Resonate(server.url, group="clients")
        handle = client.options(target=group).begin_rpc("waited", "total", 4)
        client.options(target="others").begin_rpc("not-ours", "total", 4)
        began = time.monotonic()
        first = worker(server.url, group)
        assert handle.result(timeout=SECONDS) == 6
        assert time.monotonic() - began < 3
        assert client.promises.get("not-ours").state == "pending"
        for one in (first, client):
            one.stop()


def ask(network, *requests):
    answers = []
    done = threading.Event()
    network.submit(list(requests), lambda responses: (answers.extend(responses), done.set()))
    assert done.wait(SECONDS)
    return answers


def test_task_of_a_timer_is_left_alone(group):
    with fake("R") as server:
        network = HttpNetwork(server.url, group=group, pid="p")
        tags = {"resonate:timer": "true", "resonate:target": f"poll://any@{group}"}
        created = ask(network, PromiseCreate("t", 2**50, tags=tags))[0]
        acquired = ask(network, TaskAcquire("t", 0, "p", 60_000))[0]
        task = ask(network, TaskGet("t"))[0].task
        assert created.is_ok
        assert acquired.status == 409
        assert task.state == "acquired"
        network.stop()


def test_execution_without_branch_tag_gets_its_history(group):
    with fake("R") as server:
        network = HttpNetwork(server.url, group=group, pid="p")
        root = PromiseCreate("cli", 2**50, tags={"resonate:target": f"poll://any@{group}"})
        child = PromiseCreate("cli.1", 2**50, tags={"resonate:branch": "cli", "resonate:scope": "local"})
        ask(network, TaskCreate("p", 60_000, root))
        ask(network, FenceSettled("cli", 1, child, "resolved"))
        ask(network, TaskRelease("cli", 1))
        taken = ask(network, TaskAcquire("cli", 1, "p", 60_000))[0]
        assert [record.id for record in taken.preload] == ["cli.1"]
        network.stop()
