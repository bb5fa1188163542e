"""``DBOSClient``, and handles of several workflows."""

from __future__ import annotations

import pytest

from compat.dbos import DBOS, DBOSClient, Queue, SetWorkflowID
from compat.dbos.error import DBOSNonExistentWorkflowError
from compat.unsupported import UnsupportedFeatureError

Queue("clients", concurrency=1)


@DBOS.workflow()
def hears(timeout: float) -> object:
    DBOS.set_event("state", "listening")
    return DBOS.recv(timeout_seconds=timeout)


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_URL", f"sqlite:///{tmp_path}/client.db")
    DBOS(config={"name": "test"})
    DBOS.launch()
    found = DBOSClient(system_database_url=None)
    yield found
    found.destroy()
    DBOS.destroy()


def test_client_starts_talks_to_and_reads_a_workflow_of_another_process(client):
    options = {"workflow_name": "hears", "queue_name": "clients", "workflow_id": "w"}
    handle = client.enqueue(options, 10)
    assert client.get_event("w", "state", 5) == "listening"
    client.send("w", "hello")
    assert handle.get_result() == "hello"
    status = client.retrieve_workflow("w").get_status()
    assert (status.status, status.output, status.queue_name) == ("SUCCESS", "hello", "clients")


def test_client_that_does_not_know_the_queue_keeps_to_its_limits(client, monkeypatch):
    monkeypatch.setattr("compat.dbos.queues.queues", {})  # of the client's process, not of the worker's
    options = {"workflow_name": "hears", "queue_name": "clients"}
    first, second = client.enqueue(options, 30), client.enqueue(options, 0)
    assert client.get_event(first.workflow_id, "state", 5) == "listening"
    assert second.get_status().status == "ENQUEUED"
    client.send(first.workflow_id, "end")
    assert (first.get_result(), second.get_result()) == ("end", None)


def test_client_lists_workflows_that_others_run(client):
    client.enqueue({"workflow_name": "hears", "queue_name": "clients", "workflow_id": "w"}, 0).get_result()
    assert [(one.workflow_id, one.status) for one in client.list_workflows(name="hears")] == [("w", "SUCCESS")]
    assert client.list_workflows(workflow_ids=["other"]) == []


def test_settings_of_a_database_of_dbos_are_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_URL", f"sqlite:///{tmp_path}/client.db")
    DBOSClient(application_database_url="sqlite:///app.db", system_database_pool_size=3).destroy()
    with pytest.raises(UnsupportedFeatureError, match="serializer"):
        DBOSClient(serializer=object())


def test_client_refuses_what_it_cannot_give(client):
    with pytest.raises(UnsupportedFeatureError, match="authenticated_user"):
        client.enqueue({"workflow_name": "hears", "queue_name": "clients", "authenticated_user": "me"}, 1)
    with pytest.raises(DBOSNonExistentWorkflowError):
        client.retrieve_workflow("nobody")


def test_wait_first_gives_the_one_that_has_ended(dbos):
    slow, fast = DBOS.start_workflow(hears, 30), DBOS.start_workflow(hears, 0)
    assert DBOS.wait_first([slow, fast]) is fast
    DBOS.send(slow.workflow_id, "end")
    assert slow.get_result() == "end"


def test_status_shows_the_call_and_what_came_of_it(dbos):
    with SetWorkflowID("w"):
        hears(0)
    status = DBOS.get_workflow_status("w")
    assert (status.status, status.output, status.error) == ("SUCCESS", None, None)
    assert status.input == {"args": (0,), "kwargs": {}}
