"""What a keeper knows: who goes next, and when."""

from __future__ import annotations

from resonate_core.queues.keeper import OWN_REQUEST_S, Line

ANY = {"concurrency": None, "limiter": None}


def job(id, priority=0, at=0, dedup=None, is_own=False):
    return {"id": id, "priority": priority, "at": at, "dedup": dedup, "is_own": is_own}


def started(line, now=0.0):
    found = []
    while (ready := line.next_job(now)) is not None and ready[1] == 0:
        line.start(ready[0], now)
        found.append(ready[0]["id"])
    return found


def test_lower_priority_goes_first_then_the_older_then_who_asked_first():
    line = Line()
    for one in (job("late", 0, 9), job("urgent", 0, 1), job("c", 1, 5), job("d", 1, 5), job("b", 1, 4)):
        line.request(one, ANY, 0.0)
    assert started(line) == ["urgent", "late", "b", "c", "d"]


def test_request_that_comes_twice_is_one():
    line = Line()
    line.request(job("a"), ANY, 0.0)
    line.request(job("a"), ANY, 0.0)
    assert started(line) == ["a"]
    line.request(job("a"), ANY, 0.0)
    assert started(line) == []


def test_nobody_starts_before_the_limits_are_known():
    line = Line()
    line.request(job("a"), None, 0.0)
    assert line.next_job(0.0) is None
    line.request(job("b"), ANY, 0.0)
    assert started(line) == ["a", "b"]


def test_newest_limits_count():
    line = Line()
    line.request(job("a"), {**ANY, "concurrency": 1}, 0.0)
    line.request(job("b"), {**ANY, "concurrency": 2}, 0.0)
    assert started(line) == ["a", "b"]


def test_place_of_who_leaves_is_free():
    line = Line()
    for name in "abc":
        line.request(job(name), {**ANY, "concurrency": 1}, 0.0)
    assert started(line) == ["a"]
    line.leave("b")
    line.leave("a")
    assert started(line) == ["c"]


def test_limiter_counts_starts_of_the_last_period():
    line = Line()
    for name in "abcd":
        line.request(job(name), {**ANY, "limiter": {"limit": 2, "period": 10.0}}, 0.0)
    assert started(line, 100.0) == ["a", "b"]
    assert line.next_job(104.0)[1] == 6.0
    assert started(line, 110.0) == ["c", "d"]


def test_limiter_lets_nobody_through_by_a_rounding_of_times():
    since = 1_764_092_071.0
    for millisecond in range(1000):
        line, at = Line(), since + millisecond / 1000
        for name in "abc":
            line.request(job(name), {**ANY, "limiter": {"limit": 1, "period": 0.3}}, at)
        assert started(line, at) == ["a"]
        assert len(started(line, at + 0.3)) <= 1


def test_deduplication_id_belongs_to_one_until_it_leaves():
    line = Line()
    assert line.claim("k", "a", 0.0, 60.0) == "a"
    line.request(job("a", dedup="k"), ANY, 0.0)
    assert line.claim("k", "b", 1e9, 2e9) == "a"
    line.leave("a")
    assert line.claim("k", "b", 0.0, 60.0) == "b"


def test_deduplication_id_whose_owner_never_came_is_free_after_a_while():
    line = Line()
    line.claim("k", "a", 0.0, 60.0)
    assert line.claim("k", "b", 60.0, 120.0) == "a"
    assert line.claim("k", "b", 61.0, 121.0) == "b"


def test_those_that_run_or_hold_a_deduplication_id_are_followed():
    line = Line()
    line.request(job("a"), {**ANY, "concurrency": 1}, 0.0)
    line.request(job("b", dedup="k"), None, 0.0)
    line.request(job("c"), None, 0.0)
    started(line)
    assert line.followed() == {"a", "b"}


def test_request_of_an_execution_itself_waits_a_moment_for_that_of_its_sender():
    line = Line()
    line.request(job("second", at=2, is_own=True), ANY, 0.0)
    line.request(job("first", at=1), ANY, 0.1)
    line.request(job("second", at=2), ANY, 0.2)
    assert started(line, 0.2) == ["first", "second"]


def test_request_of_an_execution_itself_counts_when_no_other_comes():
    line = Line()
    line.request(job("a", is_own=True), ANY, 0.0)
    assert line.next_job(0.25)[1] == OWN_REQUEST_S - 0.25
    assert started(line, OWN_REQUEST_S) == ["a"]
