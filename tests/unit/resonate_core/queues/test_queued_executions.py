"""Executions in queues: limits, order, and that every end frees the place."""

from __future__ import annotations

import pytest

from resonate_core import ApplicationError, CanceledError, Cancelled, Queue, UsageError, durable, entry, query, step
from resonate_core.testing import VirtualResonate

ONE = Queue("one-at-a-time", concurrency=1)
TWO = Queue("two-at-a-time", concurrency=2)
FREE = Queue("without-limits")
RATED = Queue("two-in-ten-seconds", limiter={"limit": 2, "period": 10})
RANKED = Queue("by-priority", concurrency=1, priority_enabled=True)
PARTED = Queue("by-tenant", concurrency=1, partition_queue=True)
SEATS = Queue("one-here", worker_concurrency=1)
LOG: list[tuple[str, str, float]] = []


@durable()
def works(ctx, name, seconds=5):
    LOG.append((name, "in", ctx.now().timestamp()))
    yield ctx.sleep(seconds)
    LOG.append((name, "out", ctx.now().timestamp()))
    return name


@durable()
def fails(ctx):
    yield ctx.sleep(1)
    raise ApplicationError("no", type="No")


@durable()
def enqueues(ctx, names):
    promises = []
    for name in names:
        promises.append((yield ctx.enqueue(ONE, works, name)))
    return (yield ctx.gather(*promises))


@durable()
def gathers(ctx, names):
    return (yield ctx.gather(*[ctx.enqueue(TWO, works, name) for name in names]))


@durable()
def leaves_at_once(ctx, names):
    for name in names:
        yield ctx.enqueue(ONE, works, name).options(id=name)


@durable()
def in_rounds(ctx, left):
    LOG.append((f"round {left}", "in", ctx.now().timestamp()))
    yield ctx.sleep(1)
    if left:
        yield ctx.continue_as_new(left - 1)
    return "done"


@durable()
class Shown:
    def __init__(self):
        self.state = "waiting"

    @entry
    def run(self, ctx):
        self.state = "running"
        yield ctx.sleep(30)

    @query
    def shown(self):
        return self.state


@step()
def doubled(value):
    return value * 2


@pytest.fixture
def client():
    client = VirtualResonate()
    client.register(works, fails, enqueues, gathers, leaves_at_once, in_rounds, Shown, doubled)
    LOG.clear()
    return client


def names(what="in"):
    return [name for name, done, _ in LOG if done == what]


def most_at_once():
    running = peak = 0
    for _, what, _ in LOG:
        running += 1 if what == "in" else -1
        peak = max(peak, running)
    return peak


def test_queue_runs_one_after_the_other_in_order_of_enqueuing(client):
    assert client.run("p", enqueues, list("abcde")) == list("abcde")
    assert [name for name, _, _ in LOG] == list("aabbccddee")


def test_queue_lets_as_many_run_as_its_limit_says(client):
    assert client.run("p", gathers, list("abcdef")) == list("abcdef")
    assert most_at_once() == 2


def test_queue_without_limits_lets_all_run(client):
    handles = [client.enqueue(FREE, name, works, name) for name in "abc"]
    assert [handle.result() for handle in handles] == list("abc")
    assert most_at_once() == 3


def test_children_outlive_who_enqueued_them(client):
    assert client.run("p", leaves_at_once, ["x", "y", "z"]) is None
    assert [client.get(id).result() for id in ("x", "y", "z")] == ["x", "y", "z"]
    assert names() == ["x", "y", "z"]


def test_starts_keep_to_the_rate(client):
    handles = [client.enqueue(RATED, f"r{n}", works, f"r{n}", 0) for n in range(5)]
    for handle in handles:
        handle.result()
    starts = [at for _, what, at in LOG if what == "in"]
    assert starts[2] - starts[0] >= 9.9
    assert starts[4] - starts[2] >= 9.9


def test_lower_priority_number_goes_first(client):
    first = client.enqueue(RANKED, "first", works, "first")
    later = [client.options(priority=rank).enqueue(RANKED, f"p{rank}", works, f"p{rank}") for rank in (3, 1, 2)]
    for handle in [first, *later]:
        handle.result()
    assert names() == ["first", "p1", "p2", "p3"]


def test_partitions_do_not_wait_for_each_other(client):
    handles = [
        client.options(partition=tenant).enqueue(PARTED, f"{tenant}{n}", works, f"{tenant}{n}")
        for tenant in "ab"
        for n in range(2)
    ]
    for handle in handles:
        handle.result()
    assert most_at_once() == 2
    assert names().index("a0") < names().index("a1")
    assert names().index("b0") < names().index("b1")


def test_bodies_of_one_process_keep_to_its_limit(client):
    handles = [client.enqueue(SEATS, f"s{n}", works, f"s{n}") for n in range(3)]
    assert [handle.result() for handle in handles] == ["s0", "s1", "s2"]
    assert most_at_once() == 1


def test_place_of_one_that_fails_is_free(client):
    first, second = client.enqueue(ONE, "f", fails), client.enqueue(ONE, "w", works, "w")
    with pytest.raises(ApplicationError, match="no"):
        first.result()
    assert second.result() == "w"


@pytest.mark.parametrize("end", ["terminate", "cancel"])
@pytest.mark.parametrize("victim", ["running", "waiting"])
def test_place_of_one_that_is_ended_from_outside_is_free(client, end, victim):
    handles = {name: client.enqueue(ONE, name, works, name) for name in ("running", "waiting", "last")}
    client.advance(1)
    getattr(handles[victim], end)()
    with pytest.raises((CanceledError, Cancelled)):
        handles[victim].result()
    assert handles["last"].result() == "last"


def test_place_of_one_whose_time_is_over_is_free(client):
    slow = client.options(timeout=3).enqueue(ONE, "slow", works, "slow", 60)
    assert client.enqueue(ONE, "next", works, "next").result() == "next"
    with pytest.raises(TimeoutError):
        slow.result()


def test_continue_as_new_keeps_its_place(client):
    rounds = client.enqueue(ONE, "rounds", in_rounds, 2)
    other = client.enqueue(ONE, "other", works, "other")
    assert rounds.result() == "done"
    assert other.result() == "other"
    assert names() == ["round 2", "round 1", "round 0", "other"]


def test_query_of_one_that_waits_sees_its_state_before_it_runs(client):
    client.enqueue(ONE, "w", works, "w", 10)
    shown = client.enqueue(ONE, "shown", Shown)
    client.advance(5)
    assert shown.query("shown") == "waiting"
    client.advance(20)
    assert shown.query("shown") == "running"


def test_step_may_be_enqueued(client):
    assert client.enqueue(ONE, "d", doubled, 21).result() == 42


def test_queue_by_name_that_nobody_declares_fails_the_execution_with_what_to_do(client):
    with pytest.raises(UsageError, match=r"queue 'nowhere'.*say Queue\('nowhere'"):
        client.enqueue("nowhere", "n", works, "n").result()


def test_queue_serves_more_than_one_run_of_its_keeper(client):
    handles = [client.enqueue(TWO, f"m{n}", works, f"m{n}", 0.01) for n in range(150)]
    assert [handle.result() for handle in handles] == [f"m{n}" for n in range(150)]
    assert most_at_once() == 2


def test_delay_holds_a_start_back(client):
    handle = client.options(delay=60).begin_rpc("late", works, "late")
    client.advance(59)
    assert not LOG
    assert handle.result() == "late"


def test_delay_in_a_queue_takes_no_place(client):
    late = client.options(delay=60).enqueue(ONE, "late", works, "late")
    assert client.enqueue(ONE, "now", works, "now").result() == "now"
    assert late.result() == "late"
    assert names() == ["now", "late"]
