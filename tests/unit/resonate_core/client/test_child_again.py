"""Children with an id of their own, started again: joined, run again or refused, as the call says."""

from __future__ import annotations

import pytest

from resonate_core import AlreadyStartedError, CanceledError, Cancelled, durable, step
from resonate_core.testing import Faults, Simulation, VirtualResonate

RAN: list[str] = []


@step()
def note(what):
    RAN.append(what)
    return len(RAN)


@durable()
def child(ctx, what, seconds=0):
    yield ctx.sleep(seconds)
    return (yield ctx.run(note, what))


@durable()
def parent(ctx, if_exists):
    return (yield ctx.rpc(child, "x").options(id="the-child", if_exists=if_exists))


@durable()
def twice(ctx):
    first = yield ctx.rpc(child, "one").options(id="same", if_exists="restart_closed")
    second = yield ctx.rpc(child, "two").options(id="same", if_exists="restart_closed")
    return first, second


@durable()
def together(ctx):
    calls = [ctx.begin_rpc(child, name).options(id=f"c-{name}", if_exists="restart_closed") for name in "abc"]
    return (yield ctx.gather(*calls))


@durable()
def raced(ctx):
    slow = yield ctx.begin_rpc(child, "slow", 60).options(id="slow", if_exists="restart_closed")
    timer = yield ctx.begin_sleep(1)
    index, _ = yield ctx.select(slow, timer)
    yield ctx.cancel(slow)
    try:
        yield slow
    except CanceledError:
        return index, slow.id


@durable()
def leaves(ctx):
    yield ctx.detached(child, "left").options(id="left", if_exists="restart_closed")


@durable()
def tidy(ctx, what):
    try:
        yield ctx.sleep(60)
    except Cancelled:
        yield ctx.run(note, f"{what} tidied")
        raise


@durable()
def ends_at_once(ctx):
    yield ctx.begin_rpc(tidy, "t").options(id="ended", if_exists="restart_closed", parent_close="terminate")
    yield ctx.begin_rpc(tidy, "c").options(id="asked", if_exists="restart_closed", parent_close="cancel")


@pytest.fixture
def client():
    RAN.clear()
    client = VirtualResonate()
    client.register(child, parent, twice, together, raced, leaves, tidy, ends_at_once)
    return client


@pytest.mark.parametrize(("if_exists", "expected"), [("join", (1, 1)), ("restart_closed", (1, 2)), ("restart", (1, 2))])
def test_child_of_a_second_parent_obeys_if_exists(client, if_exists, expected):
    assert (client.run("p1", parent, if_exists), client.run("p2", parent, if_exists)) == expected
    assert client.get("the-child").result() == expected[1]


def test_child_that_must_be_new_is_refused(client):
    client.run("p1", parent, "fail")
    with pytest.raises(AlreadyStartedError, match="'the-child' has finished"):
        client.run("p2", parent, "fail")


def test_child_that_runs_is_refused_and_the_parent_may_catch_it(client):
    client.begin_rpc("the-child", child, "x", 60)
    with pytest.raises(AlreadyStartedError, match="'the-child' is running"):
        client.run("p", parent, "restart_closed")


def test_same_id_twice_in_one_parent_runs_twice(client):
    assert client.run("t", twice) == (1, 2)
    assert RAN == ["one", "two"]


def test_children_of_a_gather_run_again(client):
    client.run("t1", together)
    assert client.run("t2", together) == [4, 5, 6]


def test_child_that_runs_again_can_be_selected_and_cancelled(client):
    client.begin_rpc("slow", child, "first").result()
    assert client.run("r", raced) == (1, "slow~1")


def test_child_that_is_begun_last_is_made_before_the_parent_ends(client):
    for _ in range(2):
        client.options(if_exists="restart_closed").run("l", leaves)
    client.settle()
    assert RAN == ["left", "left"]


def test_child_whose_parent_ends_before_it_is_made_is_terminated_or_cancelled_as_the_call_says(client):
    client.run("p", ends_at_once)
    client.settle()
    assert RAN == ["c tidied"]


def test_choice_is_the_same_after_crashes():
    for seed in range(40):
        RAN.clear()
        run = Simulation(seed, child, twice, together, parent, note, faults=Faults(kill=0.05))
        run.start("before", parent, "restart_closed")
        run.run()
        run.start("t", twice)
        run.start("g", together)
        run.start("after", parent, "restart_closed")
        run.run()
        results = [run.client.get(id).result() for id in ("before", "after")]
        assert results[0] < results[1], f"seed {seed}"
        first, second = run.client.get("t").result()
        assert first < second, f"seed {seed}"
