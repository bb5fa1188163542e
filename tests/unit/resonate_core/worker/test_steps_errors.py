"""Whatever a step raises is one ordinary error, and the runner lives on."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import sys

import pytest

from resonate_core.errors import ApplicationError, StepCrashedError, StoppedError, UsageError
from resonate_core.retry import Backoff, Constant
from resonate_core.worker.steps import StepCall, StepRunner


def raising(error):
    def step():
        raise error

    return step


def raising_async(error):
    async def step():
        raise error

    return step


def test_ordinary_error_is_passed_on_as_it_is(either):
    error = ValueError("no")
    outcome = either.run(raising(error))
    assert outcome.error is error
    assert (outcome.value, outcome.attempts, outcome.retry_state) == (None, 1, "retry_policy_not_set")


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), BaseException("odd")]
)
@pytest.mark.parametrize("make", [raising, raising_async])
def test_base_exception_becomes_an_ordinary_error_and_all_lives_on(either, make, error):
    outcome = either.run(make(error))
    assert isinstance(outcome.error, StepCrashedError)
    assert outcome.error.crash_type == type(error).__name__
    assert type(error).__name__ in str(outcome.error)
    assert outcome.error.__cause__ is error
    assert either.run(lambda: 1).value == 1

    async def still_there():
        return 2

    assert either.run(still_there).value == 2


def test_crash_is_retried_by_policy(either):
    attempts = []

    def step():
        attempts.append(1)
        if len(attempts) < 3:
            sys.exit(1)
        return "alive"

    outcome = either.run(step, policy=Constant(0))
    assert (outcome.value, outcome.attempts) == ("alive", 3)


def two(a, b):
    raise AssertionError("never called")


async def async_two(a, b):
    raise AssertionError("never called")


def through(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize("function", [two, async_two, through(two), functools.partial(two), len, through(async_two)])
def test_wrong_argument_count_is_not_retried(either, function):
    outcome = either.run(function, 1, 2, 3, policy=Constant(0), name="two")
    assert isinstance(outcome.error, TypeError)
    assert (outcome.attempts, outcome.retry_state) == (1, "non_retryable_failure")


def test_unknown_keyword_argument_is_not_retried(either):
    outcome = either.run(two, 1, kwargs={"c": 2}, policy=Constant(0))
    assert (outcome.attempts, outcome.retry_state) == (1, "non_retryable_failure")


def test_type_error_inside_the_function_is_retried(either):
    calls = []

    def step():
        calls.append(1)
        if len(calls) < 3:
            return two(1)
        return "ok"

    assert either.run(step, policy=Constant(0, 5)).value == "ok"


def test_type_error_of_the_body_is_retried(either):
    calls = []

    def step(x):
        calls.append(1)
        return x + ("a" if len(calls) < 2 else 1)

    assert either.run(step, 1, policy=Constant(0)).value == 2


def test_non_retryable_flag_ends_the_series(either):
    outcome = either.run(raising(ApplicationError("x", non_retryable=True)), policy=Constant(0))
    assert (outcome.attempts, outcome.retry_state) == (1, "non_retryable_failure")


def test_non_retryable_by_call_or_policy_ends_the_series(either):
    assert either.run(raising(KeyError()), policy=Constant(0), non_retryable=(LookupError,)).attempts == 1
    outcome = either.run(raising(KeyError()), policy=Backoff(0, non_retryable=("LookupError",)))
    assert (outcome.attempts, outcome.retry_state) == (1, "non_retryable_failure")


def test_attempts_in_all_are_reported(either):
    outcome = either.run(raising(KeyError()), policy=Backoff(0, max_attempts=4))
    assert (outcome.attempts, outcome.retry_state) == (4, "maximum_attempts_reached")


def test_first_attempt_after_a_recovery_counts_on(either):
    outcome = either.run(raising(KeyError()), policy=Backoff(0, max_attempts=4), first_attempt=3)
    assert outcome.attempts == 4


def test_policy_that_fails_ends_the_series_with_the_step_error(either):
    class Broken:
        def next(self, attempt):
            return 1 / (attempt - attempt)

    error = KeyError("mine")
    outcome = either.run(raising(error), policy=Broken())
    assert outcome.error is error
    assert any("ZeroDivisionError" in note for note in error.__notes__)


def test_policy_given_as_a_function_of_the_step(either):
    outcome = either.run(raising(KeyError()), policy=lambda _: Backoff(0, max_attempts=2))
    assert outcome.attempts == 2


def test_step_that_raises_stop_iteration_is_an_ordinary_error(either):
    error = StopIteration(5)
    assert either.run(raising(error)).error is error


def test_async_step_that_raises_stop_iteration_has_an_outcome(either):
    assert either.run(raising_async(StopIteration(5))).error is not None


def test_callback_that_raises_is_logged_and_the_thread_lives_on(steps, caplog, eventually):
    def broken(outcome):
        raise ValueError(outcome.value)

    with caplog.at_level(logging.ERROR, logger="resonate.step"):
        steps.start(lambda: 1)
        call = steps.outcome()
        steps.runner.submit(StepCall(id="root.2", root_id="root", name="lost", function=lambda: call), broken)
        eventually(lambda: "root.2" in caplog.text)
    assert steps.run(lambda: 2).value == 2


variable = contextvars.ContextVar("variable", default="clean")


def test_context_variables_do_not_leak_between_steps(either):
    def leak():
        variable.set("dirty")

    async def async_leak():
        variable.set("dirty")

    async def async_get():
        return variable.get()

    either.run(leak)
    either.run(async_leak)
    assert {either.run(variable.get).value for _ in range(5)} == {"clean"}
    assert either.run(async_get).value == "clean"
    assert variable.get() == "clean"


def test_stopped_runner_refuses_steps():
    runner = StepRunner()
    runner.stop()
    with pytest.raises(StoppedError, match="'late'"):
        runner.submit(StepCall(id="root.1", root_id="root", name="late", function=len), print)


def test_usage_error_of_a_step_is_not_retried(either):
    assert either.run(raising(UsageError("wrong")), policy=Constant(0)).attempts == 1
