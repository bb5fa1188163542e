"""Queues of DBOS on the shim: limits, order, deduplication, partitions, delay."""

from __future__ import annotations

import threading
import time

import pytest

from compat.dbos import DBOS, Queue, SetEnqueueOptions, SetWorkflowID, SetWorkflowTimeout
from compat.dbos.error import DBOSAwaitedWorkflowCancelledError, DBOSException, DBOSQueueDeduplicatedError
from compat.unsupported import UnsupportedFeatureError

ORDER: list[object] = []
OPEN = threading.Event()
MOST = {"now": 0, "ever": 0}
LOCK = threading.Lock()
WORK_S = 0.01

one_at_a_time = Queue("one", concurrency=1)
two_at_a_time = Queue("two", concurrency=2)
two_a_worker = Queue("worker", worker_concurrency=2)
rated = Queue("rated", limiter={"limit": 2, "period": 0.3})
by_customer = Queue("customers", concurrency=1, partition_queue=True)


@pytest.fixture(autouse=True)
def fresh():
    ORDER.clear()
    OPEN.clear()
    MOST.update(now=0, ever=0)


@DBOS.step()
def work(name: object) -> object:
    with LOCK:
        MOST["now"] += 1
        MOST["ever"] = max(MOST["ever"], MOST["now"])
    ORDER.append(name)
    threading.Event().wait(WORK_S)
    with LOCK:
        MOST["now"] -= 1
    return name


@DBOS.workflow()
def job(name: object) -> object:
    return work(name)


@DBOS.workflow()
def blocker() -> str:
    wait_for_open()
    return "done"


@DBOS.step()
def wait_for_open() -> None:
    OPEN.wait(10)


@DBOS.workflow()
def breaks() -> None:
    raise ValueError("no")


@DBOS.workflow()
def sleeps() -> None:
    DBOS.sleep(60)


@DBOS.workflow()
def fans_out(count: int) -> list[object]:
    handles = [two_at_a_time.enqueue(job, number) for number in range(count)]
    return [handle.get_result() for handle in handles]


@pytest.mark.parametrize(("queue", "limit"), [(one_at_a_time, 1), (two_at_a_time, 2), (two_a_worker, 2)])
def test_queue_with_a_limit_never_runs_more_at_once(dbos, queue, limit):
    handles = [queue.enqueue(job, number) for number in range(6)]
    assert [handle.get_result() for handle in handles] == list(range(6))
    assert MOST["ever"] == limit


def test_queue_of_one_keeps_the_order_of_enqueuing(dbos):
    for handle in [one_at_a_time.enqueue(job, number) for number in range(8)]:
        handle.get_result()
    assert list(range(8)) == ORDER


def test_lower_priority_number_goes_first_and_none_before_all(dbos):
    first = one_at_a_time.enqueue(blocker)
    handles = []
    for priority in (5, 1, 3, None):
        with SetEnqueueOptions(priority=priority):
            handles.append(one_at_a_time.enqueue(job, priority))
    OPEN.set()
    assert first.get_result() == "done"
    for handle in handles:
        handle.get_result()
    assert ORDER == [None, 1, 3, 5]


def test_failed_and_cancelled_workflows_leave_their_places(dbos):
    failing, waiting = one_at_a_time.enqueue(breaks), one_at_a_time.enqueue(sleeps)
    last = one_at_a_time.enqueue(job, "last")
    with pytest.raises(ValueError, match="no"):
        failing.get_result()
    DBOS.cancel_workflow(waiting.workflow_id)
    with pytest.raises(DBOSAwaitedWorkflowCancelledError):
        waiting.get_result()
    assert last.get_result() == "last"


def test_cancelled_before_its_turn_never_runs(dbos):
    first, second = one_at_a_time.enqueue(blocker), one_at_a_time.enqueue(job, "never")
    DBOS.cancel_workflow(second.workflow_id)
    with pytest.raises(DBOSAwaitedWorkflowCancelledError):
        second.get_result()
    OPEN.set()
    assert first.get_result() == "done"
    assert ORDER == []


def test_timeout_counts_from_the_turn_and_frees_the_place(dbos):
    first = one_at_a_time.enqueue(blocker)
    with SetWorkflowTimeout(0.05):
        second = one_at_a_time.enqueue(sleeps)
    third = one_at_a_time.enqueue(job, 3)
    OPEN.set()
    assert first.get_result() == "done"
    with pytest.raises(DBOSAwaitedWorkflowCancelledError):
        second.get_result()
    assert third.get_result() == 3


def test_limiter_lets_no_more_start_in_a_period(dbos):
    begin = time.monotonic()
    for handle in [rated.enqueue(job, number) for number in range(5)]:
        handle.get_result()
    assert 0.6 <= time.monotonic() - begin < 3


def test_deduplication_id_is_refused_until_its_workflow_has_ended(dbos):
    with SetEnqueueOptions(deduplication_id="d"):
        first = one_at_a_time.enqueue(blocker)
        with pytest.raises(DBOSQueueDeduplicatedError, match="'d'"):
            one_at_a_time.enqueue(blocker)
    with SetEnqueueOptions(deduplication_id="d", duplication_policy="return-existing"):
        assert one_at_a_time.enqueue(blocker).workflow_id == first.workflow_id
    OPEN.set()
    first.get_result()
    one_at_a_time.enqueue(job, "after").get_result()
    with SetEnqueueOptions(deduplication_id="d"):
        assert one_at_a_time.enqueue(job, "again").get_result() == "again"


def test_partitions_have_limits_of_their_own(dbos):
    with SetEnqueueOptions(queue_partition_key="a"):
        blocked = by_customer.enqueue(blocker)
        behind = by_customer.enqueue(job, "a")
    with SetEnqueueOptions(queue_partition_key="b"):
        assert by_customer.enqueue(job, "b").get_result() == "b"
    assert ORDER == ["b"]
    OPEN.set()
    assert (blocked.get_result(), behind.get_result()) == ("done", "a")


def test_partitioned_queue_without_a_key_is_refused(dbos):
    with pytest.raises(DBOSException, match="partition"):
        by_customer.enqueue(job, 1)


def test_delay_holds_a_workflow_back(dbos):
    with SetEnqueueOptions(delay_seconds=0.2):
        late = one_at_a_time.enqueue(job, "late")
    assert late.get_status().status == "DELAYED"
    assert one_at_a_time.enqueue(job, "early").get_result() == "early"
    assert late.get_result() == "late"
    assert ORDER == ["early", "late"]


def test_workflow_enqueues_and_awaits(dbos):
    with SetWorkflowID("fan"):
        assert fans_out(5) == [0, 1, 2, 3, 4]
    assert MOST["ever"] == 2
    assert DBOS.get_workflow_status("fan-1").queue_name == "two"


def test_step_is_enqueued_as_a_workflow_of_one_step(dbos):
    handle = one_at_a_time.enqueue(work, 7)
    assert handle.get_result() == 7
    assert handle.get_status().name == "<temp>.work"


def test_id_that_exists_gives_its_workflow(dbos):
    for _ in range(2):
        with SetWorkflowID("once"):
            assert one_at_a_time.enqueue(job, "x").get_result() == "x"
    assert ORDER == ["x"]


def test_queue_of_3_x_is_registered_and_enqueued_by_name(dbos):
    DBOS.register_queue("three", global_concurrency=1)
    assert DBOS.enqueue_workflow("three", job, 1).get_result() == 1
    with pytest.raises(DBOSException, match="not registered"):
        DBOS.enqueue_workflow("nobody", job, 1)


def test_limits_that_are_not_kept_are_refused():
    with pytest.raises(UnsupportedFeatureError, match="partitions"):
        Queue("both", global_concurrency=5, partition_concurrency=1)
    with pytest.raises(UnsupportedFeatureError, match="app_version"):
        SetEnqueueOptions(app_version="1")


def test_keeper_that_starts_over_loses_nobody(dbos):
    handles = [two_at_a_time.enqueue(echo, number) for number in range(130)]
    assert [handle.get_result() for handle in handles] == list(range(130))


@DBOS.workflow()
def echo(number: int) -> int:
    return number
