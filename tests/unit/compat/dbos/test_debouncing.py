"""Debounced starts of DBOS on the shim: one workflow for many calls, with the arguments of the last."""

from __future__ import annotations

import time

import pytest

from compat.dbos import DBOS, DBOSClient, Debouncer, DebouncerClient, Queue, SetEnqueueOptions, SetWorkflowID
from compat.dbos.error import DBOSException, DBOSNonExistentWorkflowError

RUNS: list[object] = []
slow_lane = Queue("slow-lane", concurrency=1)


@pytest.fixture(autouse=True)
def no_runs():
    RUNS.clear()


@DBOS.workflow()
def note(value: object) -> object:
    RUNS.append(value)
    return value


@DBOS.workflow()
def debounces(values: list[int]) -> object:
    handles = [debouncer().debounce("k", 0.05, value) for value in values]
    return [handle.get_result() for handle in handles]


def debouncer(**options):
    return Debouncer.create(note, **options)


def test_calls_of_a_key_start_one_workflow_with_the_last_arguments(dbos):
    handles = [debouncer().debounce("k", 0.1, number) for number in range(3)]
    assert len({handle.workflow_id for handle in handles}) == 1
    status = handles[0].get_status()
    assert (status.status, status.name, status.input) == ("DELAYED", "note", {"args": (2,), "kwargs": {}})
    assert [one.workflow_id for one in DBOS.list_workflows(status="DELAYED")] == [handles[0].workflow_id]
    assert [handle.get_result() for handle in handles] == [2, 2, 2]
    assert RUNS == [2]
    assert handles[0].get_status().status == "SUCCESS"


def test_keys_and_workflows_do_not_mix(dbos):
    handles = [debouncer().debounce(key, 0.05, key) for key in "ab"]
    assert [handle.get_result() for handle in handles] == ["a", "b"]


def test_call_after_the_start_begins_another(dbos):
    first = debouncer().debounce("k", 0.01, 1)
    assert first.get_result() == 1
    second = debouncer().debounce("k", 0.01, 2)
    assert second.get_result() == 2
    assert second.workflow_id != first.workflow_id


def test_no_call_is_lost_that_races_with_the_start(dbos):
    for number in range(30):
        debouncer().debounce("k", 0.001 * (number % 3), number)
    last = debouncer().debounce("k", 0, "last")
    assert last.get_result() == "last"
    assert RUNS.count("last") == 1


def test_start_is_not_put_off_beyond_the_limit(dbos):
    limited, begin = debouncer(debounce_timeout_sec=0.3), time.monotonic()
    first = limited.debounce("k", 0.2, 0)
    while time.monotonic() - begin < 0.25:
        limited.debounce("k", 0.2, 1)
    assert first.get_result() == 1
    assert time.monotonic() - begin < 1


def test_debounced_workflow_waits_in_its_queue(dbos):
    handle = debouncer(queue=slow_lane).debounce("k", 0.01, 1)
    assert handle.get_result() == 1
    assert handle.get_status().queue_name == "slow-lane"


def test_chosen_id_is_the_workflows(dbos):
    with SetWorkflowID("chosen"):
        handle = debouncer().debounce("k", 0.01, 1)
    assert (handle.workflow_id, DBOS.retrieve_workflow("chosen").get_result()) == ("chosen", 1)


def test_workflow_debounces_and_awaits(dbos):
    with SetWorkflowID("w"):
        assert debounces([1, 2, 3]) == [3, 3, 3]
    assert (RUNS, DBOS.get_workflow_status("w-1").status) == ([3], "SUCCESS")


def test_what_the_debouncer_decides_itself_is_refused(dbos):
    with SetEnqueueOptions(deduplication_id="d"), pytest.raises(DBOSException, match="deduplication_id"):
        debouncer().debounce("k", 1, 1)
    with pytest.raises(DBOSException, match="Invalid workflow name provided to debouncer: nobody"):
        Debouncer("nobody").debounce("k", 1, 1)
    with pytest.raises(DBOSException, match="'no-queue'"):
        debouncer(queue="no-queue").debounce("k", 1, 1)


def test_workflow_that_nobody_debounces_is_not_waited_for(dbos):
    with pytest.raises(DBOSNonExistentWorkflowError):
        DBOS.retrieve_workflow("nobody", existing_workflow=False).get_result()


def test_client_debounces_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_URL", f"sqlite:///{tmp_path}/client.db")
    DBOS(config={"name": "test"})
    DBOS.launch()
    client = DBOSClient(system_database_url=None)
    try:
        made = DebouncerClient(client, {"workflow_name": "note", "queue_name": "slow-lane"})
        handles = [made.debounce("k", 0.1, number) for number in range(2)]
        assert [handle.get_result() for handle in handles] == [1, 1]
    finally:
        client.destroy()
        DBOS.destroy()
