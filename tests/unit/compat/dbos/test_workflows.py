"""Programs of DBOS on the shim: what a user of DBOS expects of each."""

from __future__ import annotations

import asyncio
import threading

import pytest

from compat.dbos import DBOS, DBOSConfiguredInstance, SetWorkflowID, SetWorkflowTimeout
from compat.dbos.error import (
    DBOSAwaitedWorkflowCancelledError,
    DBOSConflictingWorkflowError,
    DBOSException,
    DBOSMaxStepRetriesExceeded,
    DBOSNonExistentWorkflowError,
)
from compat.unsupported import UnsupportedFeatureError

CALLS: list[object] = []


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


@DBOS.step()
def add(a: int, b: int) -> int:
    CALLS.append((a, b))
    return a + b


@DBOS.step(retries_allowed=True, interval_seconds=0, max_attempts=3)
def unsure(works_at: int) -> int:
    CALLS.append("try")
    if len(CALLS) < works_at:
        raise ValueError("not yet")
    return len(CALLS)


@DBOS.step()
def refuses() -> None:
    CALLS.append("refused")
    raise KeyError("no")


def helper(number: int) -> int:
    return add(number, number)


@DBOS.workflow()
def total(numbers: list[int]) -> int:
    return sum(helper(number) for number in numbers if number > 0)


@DBOS.workflow()
def child(number: int) -> tuple[int, str]:
    return add(number, 100), DBOS.workflow_id


@DBOS.workflow()
def parent() -> tuple[object, ...]:
    direct = child(1)
    handle = DBOS.start_workflow(child, 2)
    with SetWorkflowID("chosen"):
        chosen = DBOS.start_workflow(child, 3)
    return direct, handle.get_result(), chosen.get_result()


@DBOS.workflow()
def retries(works_at: int) -> object:
    try:
        return unsure(works_at)
    except DBOSMaxStepRetriesExceeded as error:
        return len(error.errors)


@DBOS.workflow()
def fails() -> None:
    refuses()


@DBOS.workflow()
def waits(seconds: float) -> str:
    try:
        DBOS.sleep(seconds)
    finally:
        CALLS.append("left")
    return "slept"


@DBOS.workflow()
def receives(count: int) -> list[object]:
    return [DBOS.recv("news", timeout_seconds=5) for _ in range(count)]


@DBOS.workflow()
def publishes() -> None:
    DBOS.set_event("state", 1)
    DBOS.set_event("state", 2)


@DBOS.step()
async def add_async(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


@DBOS.workflow()
async def gathers(count: int) -> list[int]:
    found = await asyncio.gather(*[add_async(number, 1) for number in range(count)])
    await DBOS.sleep_async(0.001)
    return [*found, (await child_async(5))]


@DBOS.workflow()
async def child_async(number: int) -> int:
    return await add_async(number, number)


class Multiplier(DBOSConfiguredInstance):
    def __init__(self, name: str, factor: int) -> None:
        self.factor = factor
        super().__init__(name)

    @DBOS.workflow()
    def run(self, number: int) -> int:
        return self.multiply(number)

    @DBOS.step()
    def multiply(self, number: int) -> int:
        return self.factor * number


def test_workflow_calls_steps_through_helpers_and_comprehensions(dbos):
    assert total([1, -1, 2]) == 6
    assert CALLS == [(1, 1), (2, 2)]


def test_same_id_again_returns_the_first_result_and_runs_nothing(dbos):
    for _ in range(2):
        with SetWorkflowID("once"):
            assert total([1]) == 2
    assert CALLS == [(1, 1)]


def test_set_workflow_id_serves_the_first_start_only(dbos):
    with SetWorkflowID("first"):
        first = DBOS.start_workflow(child, 1)
        second = DBOS.start_workflow(child, 2)
    assert first.workflow_id == "first"
    assert second.workflow_id != "first"


def test_children_have_the_ids_that_dbos_gives(dbos):
    with SetWorkflowID("p"):
        assert parent() == ((101, "p-1"), (102, "p-3"), (103, "chosen"))


def test_id_of_another_function_is_refused(dbos):
    with SetWorkflowID("taken"):
        total([1])
    with SetWorkflowID("taken"), pytest.raises(DBOSConflictingWorkflowError):
        child(1)


def test_step_outside_a_workflow_is_the_plain_function_without_retries(dbos):
    assert add(1, 2) == 3
    with pytest.raises(ValueError, match="not yet"):
        unsure(5)
    assert CALLS == [(1, 2), "try"]


def test_step_with_retries_ends_as_dbos_says(dbos):
    assert retries(3) == 3
    CALLS.clear()
    assert retries(9) == 3
    assert CALLS == ["try"] * 3


def test_step_without_retries_raises_its_own_error_once(dbos):
    with pytest.raises(KeyError, match="no"):
        fails()
    assert CALLS == ["refused"]


def test_cancel_raises_at_the_durable_call_and_runs_finally(dbos):
    handle = DBOS.start_workflow(waits, 60)
    DBOS.cancel_workflow(handle.workflow_id)
    with pytest.raises(DBOSAwaitedWorkflowCancelledError):
        handle.get_result()
    assert handle.get_status().status == "CANCELLED"
    assert CALLS == ["left"]


def test_timeout_of_a_workflow_cancels_it(dbos):
    with SetWorkflowTimeout(0.05):
        handle = DBOS.start_workflow(waits, 60)
    with pytest.raises(DBOSAwaitedWorkflowCancelledError):
        handle.get_result()


def test_messages_arrive_in_order_and_time_out_to_none(dbos):
    handle = DBOS.start_workflow(receives, 2)
    DBOS.send(handle.workflow_id, "a", "news")
    DBOS.send(handle.workflow_id, "b", "news")
    assert handle.get_result() == ["a", "b"]
    with pytest.raises(DBOSNonExistentWorkflowError):
        DBOS.send("nobody", "x")


def test_newest_event_is_read_and_a_missing_one_is_none(dbos):
    with SetWorkflowID("pub"):
        publishes()
    assert DBOS.get_event("pub", "state") == 2
    assert DBOS.get_event("pub", "other", timeout_seconds=0.01) is None


def test_async_workflow_gathers_steps_and_awaits_children(dbos):
    assert asyncio.run(gathers(4)) == [1, 2, 3, 4, 10]


def test_configured_instances_are_found_by_name(dbos):
    seven = Multiplier("seven", 7)
    assert seven.run(6) == 42


def test_many_threads_start_workflows(dbos):
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(total([n]))) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [2, 4, 6, 8, 10, 12, 14, 16]


def test_workflow_before_launch_says_so():
    with pytest.raises(DBOSException, match="not launched"):
        total([1])


def test_workflow_calls_that_only_a_body_may_make_are_refused_outside(dbos):
    with pytest.raises(DBOSException, match=r"DBOS\.sleep"):
        DBOS.sleep(1)


@pytest.mark.parametrize("name", ["resume_workflow", "fork_workflow"])
def test_what_is_missing_is_refused_by_name(name):
    with pytest.raises(UnsupportedFeatureError, match=name):
        getattr(DBOS, name)


def test_arguments_that_would_change_behaviour_are_refused(dbos):
    with pytest.raises(UnsupportedFeatureError, match="preemptible"):
        DBOS.step(preemptible=True)
    with pytest.raises(UnsupportedFeatureError, match="max_recovery_attempts=3"):
        DBOS.workflow(max_recovery_attempts=3)


@DBOS.workflow()
def starts_a_slow_child() -> None:
    DBOS.start_workflow(waits, 60)


@DBOS.workflow()
def converses() -> list[object]:
    DBOS.send(DBOS.workflow_id, "plain")
    DBOS.send(DBOS.workflow_id, "keyed", idempotency_key="k")
    DBOS.send(DBOS.workflow_id, "keyed", idempotency_key="k")
    return [DBOS.recv(timeout_seconds=5), DBOS.recv(timeout_seconds=5), DBOS.recv(timeout_seconds=0.01)]


@DBOS.workflow()
async def converses_async() -> list[object]:
    await DBOS.send_async(DBOS.workflow_id, "hello", "t")
    await DBOS.set_event_async("k", 1)
    return [await DBOS.recv_async("t"), await DBOS.get_event_async(DBOS.workflow_id, "k")]


def test_children_inherit_the_deadline(dbos):
    with SetWorkflowID("timed"), SetWorkflowTimeout(0.2):
        starts_a_slow_child()
    with pytest.raises(DBOSAwaitedWorkflowCancelledError):
        DBOS.get_result("timed-1")


def test_messages_without_a_topic_and_with_a_key_arrive_once(dbos):
    assert converses() == ["plain", "keyed", None]


def test_async_twins_do_the_same(dbos):
    assert asyncio.run(converses_async()) == ["hello", 1]


def test_list_filters_by_what_is_asked(dbos):
    for id, number in (("a-1", 1), ("a-2", 2), ("b-1", 3)):
        with SetWorkflowID(id):
            total([number])
    assert [one.workflow_id for one in DBOS.list_workflows(workflow_id_prefix="a")] == ["a-1", "a-2"]
    ages = [one.created_at for one in DBOS.list_workflows(sort_desc=True)]
    assert (len(ages), ages) == (3, sorted(ages, reverse=True))
    assert len(DBOS.list_workflows(offset=1, limit=1)) == 1
    assert DBOS.list_workflows(status=["PENDING", "ERROR"]) == []
    with pytest.raises(UnsupportedFeatureError, match="app_version"):
        DBOS.list_workflows(app_version="1")


def test_step_is_started_as_a_workflow_of_one_step(dbos):
    assert DBOS.start_workflow(add, 1, 2).get_result() == 3


def test_bound_method_is_started(dbos):
    assert DBOS.start_workflow(Multiplier("two", 2).run, 4).get_result() == 8
