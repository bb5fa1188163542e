"""Tasks that come acquired: what a worker does with one that it has, had, or wants no more."""

import json

import pytest

from resonate_core import durable
from resonate_core.protocol.requests import Acquired, Response, TaskGet, TaskRelease
from resonate_core.testing import VirtualResonate


@durable
def waits(ctx):
    return (yield (yield ctx.promise(id="key")))


@pytest.fixture
def resonate():
    with VirtualResonate() as made:
        made.register(waits)
        yield made


def held(resonate):
    """Start one and return the worker and its hold."""
    resonate.begin_run("e", waits)
    worker = resonate._engine.worker
    worker.run_pending()
    return worker, worker.holds["e"]


def given(hold, version):
    task = type("Task", (), {"version": version})()
    return Acquired(hold.id, Response(200, task=task, promise=hold.record))


def test_second_copy_of_what_is_held_is_ignored(resonate):
    worker, hold = held(resonate)
    worker._given(given(hold, hold.version))
    assert worker.holds["e"] is hold
    assert not hold.is_gone


def test_newer_version_puts_the_former_hold_away(resonate):
    worker, hold = held(resonate)
    worker._given(given(hold, hold.version + 1))
    assert hold.is_gone
    assert worker.holds["e"].version == hold.version + 1


def test_worker_that_stops_gives_it_back(resonate):
    worker, hold = held(resonate)
    worker.is_stopping = True
    sent = []
    worker.submit = lambda requests, _: sent.extend(requests)
    worker._given(given(hold, hold.version + 1))
    worker.is_stopping = False
    assert sent == [TaskRelease("e", hold.version + 1)]


def test_lease_has_no_room_in_a_worker_that_stops(resonate):
    worker, _ = held(resonate)
    assert worker.lease.has_room()
    worker.is_stopping = True
    assert not worker.lease.has_room()
    worker.is_stopping = False


def test_task_of_a_waiting_execution_is_taken_up_when_its_promise_settles(resonate):
    worker, _ = held(resonate)
    worker.run_pending()
    resonate.promises.resolve("key", data=json.dumps("done"))
    assert resonate.get("e").result(10) == "done"
    answers = []
    resonate._engine.network.submit([TaskGet("e")], answers.extend)
    assert answers[0].task.state == "fulfilled"
