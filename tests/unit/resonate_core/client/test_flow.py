"""Select, gather, timers, cancellation, continue-as-new, latent promises, starting ids again."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from resonate_core import (
    AlreadyStartedError,
    CanceledError,
    Cancelled,
    StepTimeoutError,
    TimedOutError,
    durable,
    entry,
    signal,
    step,
)
from resonate_core.testing import VirtualResonate


@step()
def same(value):
    return value


@step()
def fail():
    raise ValueError("failed")


@durable(name="child")
def child(ctx, value):
    return (yield ctx.run(same, value))


def test_select_gives_the_first_and_leaves_the_other(resonate):
    release = threading.Event()

    @step()
    def slow():
        release.wait(10)
        return "slow"

    @durable(name="race")
    def race(ctx):
        work = yield ctx.begin_run(slow)
        timer = yield ctx.begin_sleep(0.01)
        index, value = yield ctx.select(work, timer)
        yield ctx.run(release.set)
        return index, value, (yield work)

    resonate.register(race)
    assert resonate.run("r", race) == (1, None, "slow")


def test_gather_keeps_order_and_limit(resonate):
    running, most, lock = [], [], threading.Lock()

    @step()
    def counted(value):
        with lock:
            running.append(value)
            most.append(len(running))
        with lock:
            running.remove(value)
        return value

    @durable(name="gathers")
    def gathers(ctx):
        return (yield ctx.gather(*[ctx.begin_run(counted, i) for i in range(20)], limit=2))

    resonate.register(gathers)
    assert resonate.run("g", gathers) == list(range(20))
    assert max(most) <= 2


def test_gather_raises_the_first_error_at_once(resonate):
    @durable(name="gathers")
    def gathers(ctx):
        try:
            yield ctx.gather(ctx.run(fail), ctx.sleep(0.05), ctx.rpc(child, 1))
        except ValueError as error:
            return str(error)

    resonate.register(gathers, child)
    assert resonate.run("g", gathers) == "failed"


def test_gather_with_return_exceptions_gives_all(resonate):
    @durable(name="gathers")
    def gathers(ctx):
        found = yield ctx.gather(ctx.run(fail), ctx.run(same, 1), return_exceptions=True)
        return [type(item).__name__ for item in found]

    resonate.register(gathers)
    assert resonate.run("g", gathers) == ["ValueError", "int"]


def test_sleep_takes_a_timedelta(resonate):
    @durable(name="naps")
    def naps(ctx):
        before = ctx.now()
        yield ctx.sleep(timedelta(milliseconds=30))
        return (ctx.now() - before) >= timedelta(milliseconds=30)

    resonate.register(naps)
    assert resonate.run("n", naps) is True


def test_cancel_runs_clean_up_and_rejects(resonate):
    cleaned = []

    @step()
    def clean(what):
        cleaned.append(what)

    @durable(name="cancellable")
    def cancellable(ctx):
        try:
            yield ctx.sleep(60)
        finally:
            yield ctx.run(clean, "room")

    resonate.register(cancellable)
    handle = resonate.begin_run("c", cancellable)
    handle.cancel("enough")
    with pytest.raises(CanceledError, match="enough"):
        handle.result(10)
    assert cleaned == ["room"]


def test_cancelled_can_be_caught_and_turned_into_a_result(resonate):
    @durable(name="catches")
    def catches(ctx):
        try:
            yield ctx.sleep(60)
        except Cancelled:
            return "stopped"

    resonate.register(catches)
    handle = resonate.begin_run("c", catches)
    handle.cancel()
    assert handle.result(10) == "stopped"


def test_shielded_section_is_not_interrupted(resonate):
    inside, go_on = threading.Event(), threading.Event()
    seen = []

    @step()
    def pay():
        inside.set()
        go_on.wait(10)
        seen.append("paid")

    @durable(name="shields")
    def shields(ctx):
        with ctx.shielded():
            yield ctx.run(pay)
            yield ctx.run(seen.append, "booked")
        yield ctx.sleep(60)

    resonate.register(shields)
    handle = resonate.begin_run("s", shields)
    inside.wait(10)
    handle.cancel()
    go_on.set()
    with pytest.raises(CanceledError):
        handle.result(10)
    assert seen == ["paid", "booked"]


def test_cancel_of_a_promise_stops_a_branch(resonate):
    @durable(name="ticks")
    def ticks(ctx):
        while True:
            yield ctx.sleep(60)

    @durable(name="stops")
    def stops(ctx):
        task = yield ctx.begin_run(ticks)
        yield ctx.cancel(task)
        try:
            yield task
        except Cancelled:
            return "stopped"

    resonate.register(stops)
    assert resonate.run("s", stops) == "stopped"


def test_terminate_ends_without_clean_up(resonate):
    @durable(name="sleeper")
    def sleeper(ctx):
        yield ctx.sleep(60)

    resonate.register(sleeper)
    handle = resonate.begin_run("t", sleeper)
    handle.terminate("by hand")
    with pytest.raises(CanceledError, match="by hand"):
        handle.result(10)


def test_deadline_of_an_execution_rejects_it(resonate):
    @durable(name="sleeper")
    def sleeper(ctx):
        yield (yield ctx.promise())

    resonate.register(sleeper)
    with pytest.raises(TimedOutError):
        resonate.options(timeout=0.05).run("t", sleeper)


def test_continue_as_new_keeps_id_handle_and_unread_messages(resonate):
    @durable(name="Counter")
    class Counter:
        def __init__(self, count, runs):
            self.count = count
            self.runs = runs
            self.is_done = False

        @entry
        def run(self, ctx, count, runs):
            seen = self.count
            yield ctx.wait_until(lambda: self.count > seen or self.is_done)
            if self.is_done:
                return self.count, self.runs
            yield ctx.continue_as_new(self.count, self.runs + 1)

        @signal
        def add(self):
            self.count += 1

        @signal
        def done(self):
            self.is_done = True

    resonate.register(Counter)
    handle = resonate.begin_run("c", Counter, 0, 0)
    for _ in range(10):
        handle.signal("add")
    handle.signal("done")
    count, runs = handle.result(10)
    assert count == 10
    assert runs >= 1


def test_continue_as_new_leaves_through_finally(resonate):
    left = []

    @durable(name="again")
    def again(ctx, number):
        try:
            yield ctx.run(same, number)
            if number < 3:
                yield ctx.continue_as_new(number + 1)
        except Exception:
            left.append("caught")
        finally:
            left.append(number)
        return "end"

    resonate.register(again)
    assert resonate.run("a", again, 0) == "end"
    assert left == [0, 1, 2, 3]


def test_latent_promise_is_resolved_from_outside_by_json(resonate):
    @durable(name="asks")
    def asks(ctx):
        approval = yield ctx.promise(id=f"{ctx.id}/approve")
        return (yield approval)

    resonate.register(asks)
    handle = resonate.begin_run("order", asks)
    resonate.promises.create("order/approve", 2**50)
    resonate.promises.resolve(id="order/approve", data=json.dumps("ann"))
    assert handle.result(10) == "ann"


@pytest.mark.parametrize(("if_exists", "expected"), [("join", 1), ("restart_closed", 2), ("restart", 2)])
def test_starting_a_finished_id_again_obeys_if_exists(resonate, if_exists, expected):
    resonate.register(child)
    resonate.run("x", child, 1)
    assert resonate.options(if_exists=if_exists).run("x", child, 2) == expected
    assert resonate.get("x").result(10) == expected


@pytest.mark.parametrize("if_exists", ["fail", "restart_closed"])
def test_starting_a_running_id_again_is_refused(resonate, if_exists):
    @durable(name="waits")
    def waits(ctx):
        yield ctx.sleep(60)

    resonate.register(waits)
    resonate.begin_run("x", waits)
    with pytest.raises(AlreadyStartedError, match="'x' of 'waits' is running"):
        resonate.options(if_exists=if_exists).begin_run("x", waits)


def test_restart_of_a_running_id_terminates_it(resonate):
    @durable(name="waits")
    def waits(ctx, seconds):
        yield ctx.sleep(seconds)
        return seconds

    resonate.register(waits)
    first = resonate.begin_run("x", waits, 60)
    assert resonate.options(if_exists="restart").run("x", waits, 0) == 0
    with pytest.raises(CanceledError):
        first.result(10)


def test_detached_child_outlives_its_parent(resonate):
    done = threading.Event()

    @step()
    def mark():
        done.set()

    @durable(name="audit")
    def audit(ctx):
        yield ctx.sleep(0.02)
        yield ctx.run(mark)

    @durable(name="parent")
    def parent(ctx):
        promise = yield ctx.detached(audit)
        return promise.id

    resonate.register(audit, parent)
    promise_id = resonate.run("p", parent)
    assert not done.is_set()
    resonate.get(promise_id).result(10)
    assert done.is_set()


def test_nested_local_children_go_deep(resonate):
    @durable(name="deep")
    def deep(ctx, depth):
        return 0 if depth == 0 else 1 + (yield ctx.run(deep, depth - 1))

    resonate.register(deep)
    assert resonate.run("d", deep, 300) == 300


def test_fan_out_of_a_thousand_comes_back(resonate):
    @durable(name="wide")
    def wide(ctx, count):
        return sum((yield ctx.gather(*[ctx.begin_run(same, i) for i in range(count)])))

    resonate.register(wide)
    assert resonate.run("w", wide, 1000) == sum(range(1000))


def test_call_that_found_no_worker_in_time_fails_when_one_comes():
    stage_caller = VirtualResonate(group="callers")

    @durable(name="calls")
    def calls(ctx):
        try:
            yield ctx.rpc("late").options(target="others", schedule_to_start_timeout=60)
        except StepTimeoutError as error:
            return error.kind

    stage_caller.register(calls)
    handle = stage_caller.begin_run("c", calls)
    stage_caller.advance(90)
    others = VirtualResonate(stage_caller.stage, group="others")
    others.register(step(name="late")(lambda: "ran"))
    others.start()
    assert handle.result() == "schedule_to_start"
