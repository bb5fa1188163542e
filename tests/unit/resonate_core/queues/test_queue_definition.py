"""What a queue may be, and which place in it a call may ask for."""

from __future__ import annotations

import pytest

from resonate_core import Queue, UsageError
from resonate_core.queues.queue import declared_limits, keeper_id, place_in


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2"])
@pytest.mark.parametrize("limit", ["concurrency", "worker_concurrency"])
def test_limit_that_is_no_count_is_refused(limit, count):
    with pytest.raises(UsageError, match=f"{limit} of queue 'bad' must be a whole number"):
        Queue("bad", **{limit: count})


@pytest.mark.parametrize(
    "limiter", [{}, {"limit": 1}, {"limit": 0, "period": 1}, {"limit": 1, "period": 0}, {"limit": True, "period": 1}, 5]
)
def test_limiter_that_says_no_rate_is_refused(limiter):
    with pytest.raises(UsageError, match="limiter of queue 'bad'"):
        Queue("bad", limiter=limiter)


def test_worker_limit_above_the_limit_of_all_is_refused():
    with pytest.raises(UsageError, match="worker_concurrency=3 is above concurrency=2"):
        Queue("bad", concurrency=2, worker_concurrency=3)


def test_refused_queue_is_not_declared():
    with pytest.raises(UsageError):
        Queue("refused", concurrency=0)
    assert declared_limits("refused") is None


def test_queue_without_a_name_is_refused():
    with pytest.raises(UsageError, match="name of a queue must be text"):
        Queue("")


def test_same_queue_again_is_the_same_and_another_of_its_name_is_refused():
    assert Queue("twice", concurrency=1) == Queue("twice", concurrency=1)
    with pytest.raises(UsageError, match="'twice' exists in this process with other limits"):
        Queue("twice", concurrency=2)


def test_partitions_have_keepers_of_their_own():
    assert keeper_id("q", None) == "queue/q"
    assert keeper_id("q", "tenant") == "queue/q/tenant"


def test_place_in_a_partitioned_queue_needs_a_partition():
    queue = Queue("parted", partition_queue=True)
    with pytest.raises(UsageError, match="queue 'parted' is partitioned, and option partition is None"):
        place_in(queue, priority=0, partition=None, now_ms=1)


def test_place_in_a_queue_without_partitions_takes_none():
    with pytest.raises(UsageError, match="is not partitioned, and option partition is 'x'"):
        place_in(Queue("whole"), priority=0, partition="x", now_ms=1)


def test_priority_needs_a_queue_that_has_priorities():
    with pytest.raises(UsageError, match="priority_enabled=True"):
        place_in(Queue("flat"), priority=2, partition=None, now_ms=1)


def test_place_by_name_has_the_limits_that_are_declared_here():
    Queue("known", concurrency=4)
    assert place_in("known", priority=0, partition=None, now_ms=7)["limits"]["concurrency"] == 4
    assert place_in("unknown", priority=3, partition="p", now_ms=7)["limits"] is None
