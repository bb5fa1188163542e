"""The same programs on every kind of server: what they give must not depend on who answers."""

from __future__ import annotations

import json
import time
import uuid

import pytest

from resonate_core import Resonate
from resonate_core.errors import ExecutionClosedError
from tests.interop import programs

SECONDS = 15


@pytest.fixture(scope="module")
def resonate(server_url):
    client = Resonate(server_url, group=f"g{uuid.uuid4().hex[:8]}", ttl=1.0)
    client.register(*programs.ALL)
    client.start()
    yield client
    client.stop()


@pytest.fixture
def fresh():
    return uuid.uuid4().hex[:12]


def run(resonate, id, function, *args):
    return resonate.begin_run(id, function, *args).result(timeout=SECONDS)


def test_steps_in_sequence_give_their_sum(resonate, fresh):
    assert run(resonate, fresh, programs.total, 20) == 190


def test_children_in_parallel_all_come_back(resonate, fresh):
    assert run(resonate, fresh, programs.fan_out, 20) == 210


def test_root_id_with_dots_and_colons_has_children(resonate, fresh):
    assert run(resonate, f"a.b:{fresh}.c", programs.fan_out, 3) == 6


def test_sleep_while_suspended_wakes_up(resonate, fresh):
    assert run(resonate, fresh, programs.slow_child, 0.4) == "late"


def test_child_with_id_of_its_own_wakes_its_suspended_parent(resonate, fresh):
    began = time.monotonic()
    assert run(resonate, fresh, programs.awaits_named_child, f"price-{fresh}", 0.5) == "late"
    assert time.monotonic() - began < 5


def test_promise_with_id_of_its_own_resolved_elsewhere_wakes_the_suspended_execution(resonate, fresh):
    handle = resonate.begin_run(fresh, programs.approval, 60)
    time.sleep(0.6)
    resonate.promises.resolve(f"{fresh}/approve", data=json.dumps("ann"))
    assert handle.result(timeout=5) == "ann"


def test_deadline_of_promise_with_id_of_its_own_wakes_the_suspended_execution(resonate, fresh):
    assert run(resonate, fresh, programs.approval, 0.5) == "nobody"


def test_deadline_of_own_promise_wakes_the_suspended_execution(resonate, fresh):
    assert run(resonate, fresh, programs.own_deadline, 0.5) == "nobody"


def test_signals_updates_and_queries_reach_a_suspended_execution(resonate, fresh):
    handle = resonate.begin_run(fresh, programs.Basket)
    time.sleep(0.4)
    handle.signal("put", "a")
    handle.signal("put", "b")
    assert handle.update("put_counted", "c") == 3
    assert handle.query("content") == ["a", "b", "c"]
    handle.signal("close")
    assert handle.result(timeout=SECONDS) == ["a", "b", "c"]


def test_signal_to_finished_execution_is_refused(resonate, fresh):
    handle = resonate.begin_run(fresh, programs.Basket)
    handle.signal("close")
    handle.result(timeout=SECONDS)
    with pytest.raises(ExecutionClosedError):
        handle.signal("put", "too late")


def test_message_sent_again_with_its_key_arrives_once(resonate, fresh):
    handle = resonate.begin_run(fresh, programs.receiver)
    resonate.send(fresh, "hello", "news", idempotency_key="k")
    resonate.send(fresh, "hello", "news", idempotency_key="k")
    assert resonate.get_event(fresh, "heard", timeout=SECONDS) == "hello"
    assert handle.result(timeout=SECONDS) == ["hello", None]


def test_continue_as_new_goes_on_under_the_same_id(resonate, fresh):
    assert run(resonate, fresh, programs.in_rounds, 0) == 3


def test_executions_of_several_origins_outlive_their_lease(resonate, fresh):
    handles = [resonate.begin_run(f"{fresh}-{number}", programs.works, 1.6) for number in range(3)]
    assert [handle.result(timeout=SECONDS) for handle in handles] == ["done"] * 3
    assert [resonate.promises.get(handle.id).state for handle in handles] == ["resolved"] * 3


def test_failure_arrives_as_the_error_that_it_was(resonate, fresh):
    with pytest.raises(ValueError, match="no"):
        run(resonate, fresh, programs.fails)


def test_schedule_starts_executions(resonate, fresh):
    name = f"every-second-{fresh}"
    resonate.schedules.create(
        name, "* * * * * *", f"{name}-{{{{.timestamp}}}}", 60_000,
        promise_data=json.dumps({"func": "note", "args": [name], "kwargs": {}, "version": 1}),
    )  # fmt: skip
    try:
        ends = time.monotonic() + SECONDS
        while programs.NOTES.count(name) < 2:
            assert time.monotonic() < ends
            time.sleep(0.1)
    finally:
        resonate.schedules.delete(name)
