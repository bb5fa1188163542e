"""Cancellation and the end of a runner or of its loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from resonate_core.errors import CanceledError, StoppedError
from resonate_core.retry import Constant
from resonate_core.step_context import heartbeat, step_info
from resonate_core.worker.steps import StepCall, StepRunner


def failing():
    raise ValueError("again")


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def test_cancel_ends_a_retry_wait_at_once(inline):
    handle = inline.start(failing, policy=Constant(3600))
    handle.cancel("order withdrawn")
    outcome = inline.outcome()
    assert isinstance(outcome.error, CanceledError)
    assert "order withdrawn" in str(outcome.error)
    assert (outcome.attempts, outcome.retry_state) == (1, "cancel_requested")
    assert inline.runner.next_due_ms() is None


def test_cancel_of_a_plain_step_comes_with_its_heartbeat(steps, gate, eventually):
    running = threading.Event()

    def step():
        running.set()
        gate.wait()
        assert step_info().is_cancelled
        heartbeat()

    handle = steps.start(step, policy=Constant(0))
    running.wait()
    handle.cancel("stop")
    assert steps.no_outcome()
    gate.set()
    outcome = steps.outcome()
    assert isinstance(outcome.error, CanceledError)
    assert outcome.retry_state == "cancel_requested"


def test_cancel_of_a_plain_step_that_does_not_listen_keeps_its_value(steps, gate):
    running = threading.Event()

    def step():
        running.set()
        gate.wait()
        return "paid"

    handle = steps.start(step)
    running.wait()
    handle.cancel()
    gate.set()
    outcome = steps.outcome()
    assert (outcome.value, outcome.error) == ("paid", None)


def test_error_after_a_cancel_is_not_retried(steps, gate):
    running = threading.Event()

    def step():
        running.set()
        gate.wait()
        raise KeyError("own")

    handle = steps.start(step, policy=Constant(0))
    running.wait()
    handle.cancel()
    gate.set()
    outcome = steps.outcome()
    assert isinstance(outcome.error, KeyError)
    assert (outcome.attempts, outcome.retry_state) == (1, "cancel_requested")


def test_cancel_with_abandon_reports_at_once_and_drops_the_late_result(steps, gate):
    running = threading.Event()

    def step():
        running.set()
        gate.wait()
        return "late"

    handle = steps.start(step)
    running.wait()
    handle.cancel("enough", abandon=True)
    assert isinstance(steps.outcome().error, CanceledError)
    gate.set()
    assert steps.run(lambda: 1).value == 1
    assert steps.no_outcome()


def test_cancel_of_an_async_step_cancels_its_task(steps):
    running = threading.Event()

    async def step():
        running.set()
        await asyncio.Event().wait()

    handle = steps.start(step, policy=Constant(0))
    running.wait()
    handle.cancel("stop")
    outcome = steps.outcome()
    assert isinstance(outcome.error, CanceledError)
    assert "stop" in str(outcome.error)


def test_cancel_of_an_async_step_lets_it_clean_up(steps):
    running = threading.Event()

    async def step():
        try:
            running.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "cleaned"

    handle = steps.start(step)
    running.wait()
    handle.cancel()
    assert steps.outcome().value == "cleaned"


def test_cancel_of_a_step_that_waits_for_a_thread_runs_nothing(make_steps, gate):
    ran = []
    runner = StepRunner(max_threads=1)
    steps = make_steps(runner)
    steps.start(gate.wait)
    handle = steps.start(lambda: ran.append(1))
    handle.cancel()
    assert isinstance(steps.outcome().error, CanceledError)
    gate.set()
    assert steps.outcome().value is True
    assert steps.run(lambda: 1).value == 1
    assert not ran
    runner.stop()


def test_cancel_after_the_end_does_nothing(steps):
    handle = steps.start(lambda: 1)
    assert steps.outcome().value == 1
    handle.cancel()
    handle.cancel(abandon=True)
    assert steps.no_outcome()


def test_cancel_twice_keeps_the_first_reason(inline):
    handle = inline.start(failing, policy=Constant(1), attempt_timeout_ms=5)
    handle.cancel("first")
    handle.cancel("second")
    assert "first" in str(inline.outcome().error)
    assert inline.no_outcome()


def test_stop_reports_open_steps_as_interrupted_and_waits_for_nothing(make_steps, gate, eventually):
    runner = StepRunner()
    steps = make_steps(runner)
    running = threading.Event()
    steps.start(lambda: running.set() or gate.wait(), name="hangs")
    steps.start(failing, policy=Constant(3600), name="waits")
    running.wait()
    eventually(lambda: runner.next_due_ms() is not None)
    runner.stop()
    outcomes = [steps.outcome(), steps.outcome()]
    assert {outcome.retry_state for outcome in outcomes} == {"interrupted"}
    assert all(isinstance(outcome.error, StoppedError) for outcome in outcomes)
    assert runner.open_count == 0


def in_program_loop(main):
    """Run a program that owns its loop and gives it to a runner; return what is left when it has ended."""

    async def program():
        runner = StepRunner(loop=asyncio.get_running_loop())
        return runner, await main(runner)

    return asyncio.run(program())


async def outcome_of(runner, function, **options):
    loop = asyncio.get_running_loop()
    found = loop.create_future()
    call = StepCall(id="root.1", root_id="root", name="step", function=function, **options)
    runner.submit(call, lambda outcome: loop.call_soon_threadsafe(found.set_result, outcome))
    return await asyncio.wait_for(found, 5)


def test_async_step_runs_on_the_program_loop():
    async def main(runner):
        async def step():
            return asyncio.get_running_loop()

        assert (await outcome_of(runner, step)).value is asyncio.get_running_loop()
        assert (await outcome_of(runner, lambda *_: step(), args=(1,))).value is asyncio.get_running_loop()

    runner, _ = in_program_loop(main)
    runner.stop()


def test_system_exit_in_an_async_step_does_not_end_the_program_loop():
    async def main(runner):
        async def step():
            raise SystemExit(1)

        outcome = await outcome_of(runner, step)
        await asyncio.sleep(0)
        return outcome.error.crash_type

    runner, crash_type = in_program_loop(main)
    assert crash_type == "SystemExit"
    runner.stop()


def test_end_of_the_program_loop_interrupts_its_steps():
    outcomes = []

    async def main(runner):
        running = asyncio.Event()

        async def step():
            running.set()
            await asyncio.Event().wait()

        call = StepCall(id="root.1", root_id="root", name="step", function=step, policy=Constant(0))
        runner.submit(call, outcomes.append)
        await running.wait()

    runner, _ = in_program_loop(main)
    assert [outcome.retry_state for outcome in outcomes] == ["interrupted"]
    assert isinstance(outcomes[0].error, StoppedError)
    runner.stop()


def test_step_on_a_closed_program_loop_is_interrupted():
    async def main(runner):
        return None

    runner, _ = in_program_loop(main)
    outcomes = []

    async def step():
        raise AssertionError("never called")

    for _ in range(2):
        runner.submit(StepCall(id="root.1", root_id="root", name="step", function=step), outcomes.append)
    assert [outcome.retry_state for outcome in outcomes] == ["interrupted", "interrupted"]
    assert "event loop" in str(outcomes[0].error)
    runner.stop()
