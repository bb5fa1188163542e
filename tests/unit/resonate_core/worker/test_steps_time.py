"""Retry waits, attempt limits, deadlines and heartbeats, on a clock that the test moves."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from resonate_core.errors import Cancelled, StepTimeoutError
from resonate_core.retry import Backoff, Constant, Exponential
from resonate_core.step_context import heartbeat, step_info
from resonate_core.worker.steps import StepRunner


class Failing:
    """Fails a number of times, then returns the number of its calls."""

    def __init__(self, times):
        self.times = times
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.times:
            raise ValueError(self.calls)
        return self.calls


@pytest.fixture
def gate():
    """Holds plain functions until the test lets them go."""
    event = threading.Event()
    yield event
    event.set()


def test_retry_waits_follow_the_policy_to_the_millisecond(inline):
    step = Failing(3)
    inline.start(step, policy=Backoff(1, factor=2))
    for number, wait_ms in ((1, 1000), (2, 2000), (3, 4000)):
        assert step.calls == number
        assert inline.runner.next_due_ms() == wait_ms
        inline.pass_time(wait_ms - 1)
        assert step.calls == number
        inline.pass_time(1)
    assert inline.outcome().value == 4


def test_thirty_days_of_waiting_take_no_time(inline):
    step = Failing(30)
    inline.start(step, policy=Constant(86_400))
    for _ in range(30):
        inline.pass_time(86_400_000)
    assert inline.outcome().attempts == 31


def test_retry_wait_holds_no_thread(timed, eventually):
    step = Failing(1)
    timed.start(step, policy=Constant(10))
    eventually(lambda: timed.runner.next_due_ms() is not None)
    assert timed.run(lambda: "other").value == "other"
    timed.pass_time(10_000)
    assert timed.outcome().value == 2


def test_retry_wait_on_the_machine_clock_is_kept(steps):
    started = time.monotonic()
    assert steps.run(Failing(1), policy=Constant(0.05)).value == 2
    assert time.monotonic() - started >= 0.05


def test_attempt_timeout_of_a_plain_step_comes_while_it_still_runs(timed, gate, eventually):
    timed.start(gate.wait, attempt_timeout_ms=500)
    eventually(lambda: timed.runner.next_due_ms() is not None)
    timed.pass_time(499)
    assert timed.no_outcome()
    timed.pass_time(1)
    outcome = timed.outcome()
    assert isinstance(outcome.error, StepTimeoutError)
    assert isinstance(outcome.error, TimeoutError)
    assert outcome.error.kind == "attempt"
    assert "'wait' (root.1), attempt 1, took longer than its attempt_timeout of 0.5 s" in str(outcome.error)


def test_abandoned_thread_is_replaced_and_its_late_result_ignored(make_steps, clock, gate, eventually):
    runner = StepRunner(max_threads=1, clock=clock)
    timed = make_steps(runner, clock)
    timed.start(lambda: gate.wait() and "late", attempt_timeout_ms=500)
    eventually(lambda: runner.next_due_ms() is not None)
    assert runner.threads.count == 1
    timed.pass_time(500)
    assert timed.outcome().error.kind == "attempt"
    assert runner.threads.count == 0
    assert timed.run(lambda: "next").value == "next"
    gate.set()
    assert timed.run(lambda: "after").value == "after"
    assert timed.no_outcome()
    eventually(lambda: runner.threads.count == 1)
    runner.stop()


def test_attempt_timeout_is_retried_by_policy(timed, gate, eventually):
    calls = []

    def step():
        calls.append(1)
        if len(calls) == 1:
            gate.wait()
        return len(calls)

    timed.start(step, attempt_timeout_ms=500, policy=Constant(1))
    eventually(lambda: timed.runner.next_due_ms() == 500)
    timed.pass_time(500)
    assert timed.runner.next_due_ms() == 1000
    timed.pass_time(1000)
    outcome = timed.outcome()
    assert (outcome.value, outcome.attempts) == (2, 2)


def test_attempt_timeout_of_an_async_step_cancels_its_task(timed, eventually):
    seen = []

    async def step():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    timed.start(step, attempt_timeout_ms=500)
    eventually(lambda: timed.runner.next_due_ms() is not None)
    timed.pass_time(500)
    assert timed.outcome().error.kind == "attempt"
    eventually(lambda: seen == ["cancelled"])


def test_attempt_timeout_of_an_async_step_that_refuses_to_end_comes_in_time(timed, eventually):
    release = []

    async def stubborn():
        while not release:
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError:
                continue

    timed.start(stubborn, attempt_timeout_ms=500)
    eventually(lambda: timed.runner.next_due_ms() is not None)
    timed.pass_time(500)
    assert timed.outcome().error.kind == "attempt"
    release.append(1)
    assert timed.run(lambda: 1).value == 1
    assert timed.no_outcome()


def test_attempt_timeout_of_an_inline_step_is_noticed_when_it_returns(inline):
    def slow():
        inline.clock.advance(501)
        return "too late"

    assert inline.run(slow, attempt_timeout_ms=500).error.kind == "attempt"
    assert inline.run(lambda: inline.clock.advance(499), attempt_timeout_ms=500).error is None


def test_step_with_limits_that_ends_in_time_leaves_nothing_to_wait_for(timed):
    for _ in range(3):
        outcome = timed.run(lambda: 1, attempt_timeout_ms=500, deadline_ms=timed.clock.now + 1000)
        assert outcome.value == 1
    assert timed.runner.next_due_ms() is None


def test_deadline_ends_a_running_attempt_and_is_not_retried(timed, gate, eventually):
    timed.start(gate.wait, deadline_ms=timed.clock.now + 300, policy=Constant(0))
    eventually(lambda: timed.runner.next_due_ms() is not None)
    timed.pass_time(300)
    outcome = timed.outcome()
    assert outcome.error.kind == "step"
    assert (outcome.attempts, outcome.retry_state) == (1, "timeout")


def test_no_attempt_starts_when_its_wait_would_pass_the_deadline(inline):
    step = Failing(99)
    inline.start(step, deadline_ms=inline.clock.now + 10_000, policy=Exponential(1, factor=2))
    for wait_ms in (2000, 4000):
        inline.pass_time(wait_ms)
    outcome = inline.outcome()
    assert isinstance(outcome.error, ValueError)
    assert (outcome.attempts, outcome.retry_state) == (3, "timeout")
    assert inline.runner.next_due_ms() is None


def test_wait_that_ends_exactly_at_the_deadline_starts_nothing(inline):
    outcome = inline.run(Failing(1), deadline_ms=inline.clock.now + 1000, policy=Constant(1))
    assert outcome.retry_state == "timeout"


def test_deadline_error_carries_the_error_of_the_attempt_before(timed, gate, eventually):
    calls = []

    def step():
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("first")
        gate.wait()

    timed.start(step, deadline_ms=timed.clock.now + 2000, policy=Constant(1))
    eventually(lambda: len(calls) == 1 and timed.runner.next_due_ms() == 1000)
    timed.pass_time(1000)
    eventually(lambda: len(calls) == 2)
    timed.pass_time(1000)
    assert repr(timed.outcome().error.__cause__) == "KeyError('first')"


def test_deadline_that_has_passed_before_the_start_runs_nothing(inline):
    step = Failing(0)
    inline.start(step, deadline_ms=inline.clock.now - 1)
    inline.runner.run_due()
    assert inline.outcome().error.kind == "step"
    assert step.calls == 0


def test_deadline_ends_a_step_that_waits_for_a_thread(make_steps, clock, gate, eventually):
    runner = StepRunner(max_threads=1, clock=clock)
    timed = make_steps(runner, clock)
    timed.start(gate.wait)
    eventually(lambda: runner.threads.count == 1)
    never = Failing(0)
    timed.start(never, deadline_ms=clock.now + 100)
    timed.pass_time(100)
    assert timed.outcome().error.kind == "step"
    gate.set()
    assert timed.outcome().value is True
    assert timed.run(lambda: 1).value == 1
    assert never.calls == 0
    runner.stop()


def test_heartbeat_timeout_ends_a_silent_attempt(timed, gate, eventually):
    timed.start(gate.wait, heartbeat_timeout_ms=200)
    eventually(lambda: timed.runner.next_due_ms() is not None)
    timed.pass_time(200)
    outcome = timed.outcome()
    assert outcome.error.kind == "heartbeat"
    assert "heartbeat_timeout of 0.2 s" in str(outcome.error)


def test_heartbeats_keep_an_attempt_alive(timed, eventually):
    go, beaten = threading.Semaphore(0), threading.Semaphore(0)

    def step():
        for count in range(4):
            go.acquire()
            heartbeat(count)
            beaten.release()
        return "alive"

    timed.start(step, heartbeat_timeout_ms=200)
    eventually(lambda: timed.runner.next_due_ms() is not None)
    for _ in range(4):
        timed.pass_time(150)
        go.release()
        assert beaten.acquire(timeout=5)
    assert timed.outcome().value == "alive"


def test_heartbeat_details_reach_the_next_attempt(inline):
    def step():
        seen = step_info().heartbeat_details
        if not seen:
            heartbeat("row", 17)
            heartbeat()
            raise ValueError
        return seen

    assert inline.run(step, policy=Constant(0)).value == ("row", 17)


def test_heartbeat_details_of_an_earlier_process_reach_the_first_attempt(inline):
    assert inline.run(lambda: step_info().heartbeat_details, heartbeat_details=(3,)).value == (3,)


def test_heartbeat_of_an_abandoned_attempt_stops_it(timed, gate, eventually):
    stopped = []

    def step():
        gate.wait()
        try:
            heartbeat()
        except Cancelled as signal:
            stopped.append(str(signal))
            raise

    timed.start(step, attempt_timeout_ms=100)
    eventually(lambda: timed.runner.next_due_ms() is not None)
    timed.pass_time(100)
    assert timed.outcome().error.kind == "attempt"
    gate.set()
    eventually(lambda: stopped)
    assert "given up" in stopped[0]
    assert timed.no_outcome()


def test_runner_is_told_of_heartbeats(make_steps, clock):
    told = []
    runner = StepRunner(clock=clock, inline=True, on_heartbeat=lambda call, details: told.append((call.id, details)))
    make_steps(runner).run(lambda: heartbeat(1, "a"))
    assert told == [("root.1", (1, "a"))]
