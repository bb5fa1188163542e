from __future__ import annotations

import asyncio
import contextvars
import datetime as dt
import logging
import threading

import pytest

from resonate_core.clock import SystemClock
from resonate_core.errors import UsageError
from resonate_core.step_context import StepInfo, heartbeat, in_step, step_info, step_logger
from resonate_core.worker.steps import StepCall, StepRunner


@pytest.fixture
def run():
    runner = StepRunner(inline=True)

    def submit(function, **options):
        outcomes = []
        given = {"id": "root.3", "root_id": "root", "name": "charge"} | options
        runner.submit(StepCall(function=function, **given), outcomes.append)
        if outcomes[0].error is not None:
            raise outcomes[0].error
        return outcomes[0].value

    yield submit
    runner.stop()


def test_heartbeat_outside_a_step_does_nothing():
    assert heartbeat("progress", 1) is None


def test_step_info_outside_a_step_says_what_to_do():
    with pytest.raises(UsageError, match="inside a running step"):
        step_info()
    assert not in_step()


def test_step_info_describes_the_attempt(run):
    before = SystemClock().now_ms()
    deadline_ms = before + 10_000
    info = run(step_info, deadline_ms=deadline_ms, attempt_timeout_ms=5000, heartbeat_timeout_ms=700, first_attempt=4)
    assert (info.id, info.root_id, info.name, info.attempt) == ("root.3", "root", "charge", 4)
    assert (info.deadline_ms, info.attempt_timeout_ms, info.heartbeat_timeout_ms) == (deadline_ms, 5000, 700)
    assert before <= info.started_ms <= SystemClock().now_ms()
    assert (info.heartbeat_details, info.is_cancelled) == ((), False)


def test_step_info_is_seen_in_tasks_and_threads_with_a_copied_context(run):
    async def step():
        from_task = await asyncio.create_task(asyncio.sleep(0, step_info()))
        from_thread = await asyncio.to_thread(step_info)
        return from_task.id, from_thread.id

    assert run(step) == ("root.3", "root.3")


def test_step_info_is_seen_in_a_thread_that_the_step_starts_with_its_context(run):
    def step():
        found = []
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: found.append(context.run(step_info)))
        thread.start()
        thread.join()
        return found[0].name

    assert run(step) == "charge"


def test_step_does_not_look_like_one_after_its_end(run):
    assert run(in_step)
    assert not in_step()


def test_step_logger_adds_the_fields_of_the_step(run, caplog):
    def step():
        step_logger.info("charged %d", 5, extra={"order": "o-1"})

    with caplog.at_level(logging.INFO, logger="resonate.step"):
        run(step)
    record = caplog.records[0]
    assert record.getMessage() == "charged 5"
    assert (record.step_id, record.step_root_id, record.step_name, record.step_attempt) == (
        "root.3",
        "root",
        "charge",
        1,
    )
    assert record.order == "o-1"


def test_step_logger_outside_a_step_is_a_plain_logger(caplog):
    with caplog.at_level(logging.INFO, logger="resonate.step"):
        step_logger.info("hello")
    assert caplog.records[0].getMessage() == "hello"
    assert not hasattr(caplog.records[0], "step_id")


def test_info_tells_its_limits_as_durations_and_its_start_as_a_time():
    limits = {"deadline_ms": None, "attempt_timeout_ms": 2_000, "heartbeat_timeout_ms": None}
    info = StepInfo("i", "r", "n", 1, 1_500, heartbeat_details=(), is_cancelled=False, **limits)
    assert info.started_at == dt.datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=dt.UTC)
    assert info.attempt_timeout == dt.timedelta(seconds=2)
    assert info.heartbeat_timeout is None
