"""Workflows that are migrated and workflows that are not yet, in one program on one store."""

from __future__ import annotations

import pytest

from compat.dbos import DBOS, Queue, SetWorkflowID, SetWorkflowTimeout
from compat.unsupported import UnsupportedFeatureError
from resonate_core import step

MIGRATED: list[object] = []
shared = Queue("shared", concurrency=1)


@DBOS.workflow()
def old_child(number: int) -> int:
    return number + 1


def new_child(ctx, number):
    return (yield ctx.run(lambda: number * 10))


def new_parent(ctx, number):
    return (yield ctx.rpc("old_child", number))


def new_listener(ctx):
    yield ctx.send("old-listener", "from new")
    return (yield ctx.recv(timeout=5))


def new_listener_alone(ctx):
    return (yield ctx.recv(timeout=5))


@DBOS.workflow()
def old_parent(number: int) -> int:
    return DBOS.start_workflow(MIGRATED[0], number).get_result() + 1


@DBOS.workflow()
def old_enqueuer(number: int) -> int:
    return shared.enqueue(MIGRATED[0], number).get_result()


@DBOS.workflow()
def old_listener() -> object:
    return DBOS.recv(timeout_seconds=5)


@pytest.fixture
def client(dbos):
    found = DBOS.launched().client
    MIGRATED[:] = [found.register(new_child)]
    found.register(new_parent)
    found.register(new_listener)
    found.register(new_listener_alone)
    yield found
    MIGRATED.clear()


def test_old_workflow_starts_a_migrated_function(client):
    with SetWorkflowID("old"):
        assert old_parent(4) == 41
    assert client.get("old-1").result() == 40


def test_old_code_enqueues_a_migrated_function(client):
    assert shared.enqueue(MIGRATED[0], 4).get_result() == 40
    with SetWorkflowID("old"):
        assert old_enqueuer(5) == 50


def test_old_and_new_code_stand_in_one_line(client):
    first = client.enqueue("shared", "new-listener", new_listener_alone)
    second = shared.enqueue(MIGRATED[0], 4)
    assert second.get_status().status == "ENQUEUED"
    DBOS.send("new-listener", "go")
    assert (first.result(), second.get_result()) == ("go", 40)


def test_limit_from_the_turn_on_is_refused_for_a_migrated_function(client):
    with SetWorkflowTimeout(5), pytest.raises(UnsupportedFeatureError, match=r"SetWorkflowTimeout .*new_child"):
        shared.enqueue(MIGRATED[0], 4)


def test_migrated_function_calls_an_old_workflow(client):
    assert client.run("new", new_parent, 4) == 5


def test_messages_without_a_topic_go_both_ways(client):
    with SetWorkflowID("old-listener"):
        old = DBOS.start_workflow(old_listener)
    new = client.begin_run("new-listener", new_listener)
    DBOS.send("new-listener", "from old")
    assert (old.get_result(), new.result()) == ("from new", "from old")


@step()
def new_step(number: int) -> int:
    return number + 1


def test_enqueued_step_that_is_rewritten_is_listed_as_a_workflow_of_one_step(dbos):
    client = DBOS.launched().client
    assert client.enqueue("shared", "one-step", new_step, 1).result() == 2
    (found,) = DBOS.list_workflows(workflow_ids=["one-step"])
    assert (found.name, found.queue_name, found.output) == ("<temp>.new_step", "shared", 2)
    assert len(DBOS.list_workflows(name="<temp>.new_step")) == 1
