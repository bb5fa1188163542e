"""Workflows that are migrated and workflows that are not yet, in one program on one store."""

from __future__ import annotations

import pytest

from compat.dbos import DBOS, SetWorkflowID

MIGRATED: list[object] = []


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


@DBOS.workflow()
def old_parent(number: int) -> int:
    return DBOS.start_workflow(MIGRATED[0], number).get_result() + 1


@DBOS.workflow()
def old_listener() -> object:
    return DBOS.recv(timeout_seconds=5)


@pytest.fixture
def client(dbos):
    found = DBOS.launched().client
    MIGRATED[:] = [found.register(new_child)]
    found.register(new_parent)
    found.register(new_listener)
    yield found
    MIGRATED.clear()


def test_old_workflow_starts_a_migrated_function(client):
    with SetWorkflowID("old"):
        assert old_parent(4) == 41
    assert client.get("old-1").result() == 40


def test_migrated_function_calls_an_old_workflow(client):
    assert client.run("new", new_parent, 4) == 5


def test_messages_without_a_topic_go_both_ways(client):
    with SetWorkflowID("old-listener"):
        old = DBOS.start_workflow(old_listener)
    new = client.begin_run("new-listener", new_listener)
    DBOS.send("new-listener", "from old")
    assert (old.get_result(), new.result()) == ("from new", "from old")
