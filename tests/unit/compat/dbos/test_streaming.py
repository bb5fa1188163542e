"""Streams of DBOS on the shim: every value once, in order, until the stream or its workflow ends."""

from __future__ import annotations

import asyncio
import threading

import pytest

from compat.dbos import DBOS, SetWorkflowID
from compat.dbos.error import DBOSException, DBOSNonExistentWorkflowError, DBOSStreamTimeoutError
from compat.unsupported import UnsupportedFeatureError

GATE = threading.Event()


@DBOS.step()
def waits_at_the_gate() -> None:
    GATE.wait(10)


@DBOS.step()
def writes_in_a_step() -> None:
    DBOS.write_stream("k", 1)


@DBOS.workflow()
def writes(count: int, is_closed: bool) -> None:
    DBOS.set_event("state", "begun")
    for number in range(count):
        DBOS.write_stream("numbers", {"n": number})
    DBOS.write_stream("others", None)
    if is_closed:
        DBOS.close_stream("numbers")
    DBOS.set_event("state", "written")
    waits_at_the_gate()


@DBOS.workflow()
def misuses() -> None:
    writes_in_a_step()


@DBOS.workflow()
async def writes_async() -> None:
    for letter in "ab":
        await DBOS.write_stream_async("letters", letter)
    await DBOS.close_stream_async("letters")


@pytest.fixture(autouse=True)
def closed_gate():
    GATE.clear()
    yield
    GATE.set()


def test_reader_follows_until_the_stream_is_closed(dbos):
    with SetWorkflowID("w"):
        handle = DBOS.start_workflow(writes, 3, True)
    assert list(DBOS.read_stream("w", "numbers")) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert list(DBOS.read_stream("w", "numbers", offset=2)) == [{"n": 2}]
    assert DBOS.read_stream_offset("w", "numbers", 1) == {"n": 1}
    with pytest.raises(DBOSException, match="ended before offset 3"):
        DBOS.read_stream_offset("w", "numbers", 3)
    GATE.set()
    handle.get_result()


def test_stream_that_nobody_closes_ends_with_its_workflow(dbos):
    with SetWorkflowID("w"):
        DBOS.start_workflow(writes, 2, False)
    values = DBOS.read_stream("w", "numbers")
    assert [next(values), next(values)] == [{"n": 0}, {"n": 1}]
    GATE.set()
    assert list(values) == []
    assert list(DBOS.read_stream("w", "nothing")) == []
    assert list(DBOS.read_stream("w", "others")) == [None]


def test_value_that_does_not_come_is_waited_for_as_long_as_said(dbos):
    with SetWorkflowID("w"):
        DBOS.start_workflow(writes, 0, False)
    with pytest.raises(DBOSStreamTimeoutError, match="read again"):
        next(DBOS.read_stream("w", "numbers", timeout_seconds=0.05))


def test_async_workflow_and_reader(dbos):
    async def go():
        with SetWorkflowID("w"):
            await DBOS.start_workflow_async(writes_async)
        return [value async for value in DBOS.read_stream_async("w", "letters")]

    assert asyncio.run(go()) == ["a", "b"]


def test_all_events_are_the_newest_of_each_key_without_streams(dbos):
    with SetWorkflowID("w"):
        DBOS.start_workflow(writes, 1, True)
    list(DBOS.read_stream("w", "numbers"))
    GATE.set()
    DBOS.retrieve_workflow("w").get_result()
    assert DBOS.get_all_events("w") == {"state": "written"}


def test_what_has_no_counterpart_is_refused(dbos):
    with pytest.raises(DBOSNonExistentWorkflowError):
        next(DBOS.read_stream("nobody", "k"))
    with pytest.raises(UnsupportedFeatureError, match="write_stream in a step"):
        misuses()
