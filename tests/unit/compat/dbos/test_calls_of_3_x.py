"""Calls of later versions of DBOS: several messages, waits for tasks, starts by options, ids that must be new."""

from __future__ import annotations

import asyncio

import pytest

from compat.dbos import DBOS, Queue, SendMessage, SetWorkflowID
from compat.dbos.error import DBOSNonExistentWorkflowError, DBOSWorkflowIDInUseError

Queue("by-options", concurrency=1)


@DBOS.workflow()
def listens(count: int) -> list[object]:
    return [DBOS.recv("news", timeout_seconds=5) for _ in range(count)]


@DBOS.workflow()
def tells_all(ids: list[str]) -> None:
    DBOS.send_bulk([SendMessage(one, f"to {one}", "news") for one in ids])


@DBOS.workflow()
def starts_by_options(name: str) -> object:
    return DBOS.enqueue_workflow_with_options({"workflow_name": name, "queue_name": "by-options"}, 0).get_result()


@DBOS.step()
async def naps_for(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@DBOS.workflow()
async def races_tasks() -> list[float]:
    tasks = [asyncio.create_task(naps_for(seconds)) for seconds in (0.01, 0.3)]
    done, pending = await DBOS.asyncio_wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return [len(pending), *[task.result() for task in done]]


def test_several_messages_are_sent_at_once(dbos):
    handles = dict.fromkeys("ab")
    for one in handles:
        with SetWorkflowID(one):
            handles[one] = DBOS.start_workflow(listens, 2)
    DBOS.send_bulk([SendMessage(one, "first", "news") for one in handles])
    tells_all(list(handles))
    assert [handle.get_result() for handle in handles.values()] == [["first", "to a"], ["first", "to b"]]


def test_no_message_is_sent_if_one_of_the_workflows_does_not_exist(dbos):
    with SetWorkflowID("here"):
        handle = DBOS.start_workflow(listens, 1)
    with pytest.raises(DBOSNonExistentWorkflowError, match="nobody"):
        DBOS.send_bulk([SendMessage("here", "lost", "news"), SendMessage("nobody", "lost", "news")])
    DBOS.send("here", "right", "news")
    assert handle.get_result() == ["right"]


def test_workflow_is_enqueued_by_options(dbos):
    options = {"workflow_name": "listens", "queue_name": "by-options", "workflow_id": "chosen"}
    assert DBOS.enqueue_workflow_with_options(options, 0).get_result() == []
    assert DBOS.get_workflow_status("chosen").queue_name == "by-options"
    with SetWorkflowID("w"):
        assert starts_by_options("listens") == []
    assert DBOS.get_workflow_status("w-1").parent_workflow_id == "w"


def test_tasks_that_are_done_first_are_told_apart(dbos):
    assert asyncio.run(races_tasks()) == [1, 0.01]


def test_id_that_must_be_new_is_refused_when_it_is_not(dbos):
    with SetWorkflowID("new", workflow_id_reuse_policy="reject"):
        assert listens(0) == []
    with SetWorkflowID("new", workflow_id_reuse_policy="reject"), pytest.raises(DBOSWorkflowIDInUseError, match="new"):
        listens(0)
    with SetWorkflowID("new"):
        assert listens(0) == []
