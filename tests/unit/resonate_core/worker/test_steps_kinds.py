"""Everything callable can be a step."""

from __future__ import annotations

import asyncio
import functools
import threading

import pytest

from resonate_core.commands import Sleep
from resonate_core.errors import UsageError
from resonate_core.retry import Constant


def plain(x, y=0):
    return x + y


async def coroutine(x, y=0):
    await asyncio.sleep(0)
    return x + y


class Adder:
    def __init__(self, base=0):
        self.base = base

    def __call__(self, x):
        return self.base + x

    def method(self, x):
        return self.base + x

    async def async_method(self, x):
        return self.base + x

    @staticmethod
    def static(x):
        return x + 1

    @classmethod
    def of_class(cls, x):
        return (cls.__name__, x)


class AsyncAdder:
    async def __call__(self, x):
        return x + 1


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (plain, (1,), 1),
        (lambda x: x * 2, (2,), 4),
        (functools.partial(plain, 1), (2,), 3),
        (Adder(1), (2,), 3),
        (Adder(1).method, (2,), 3),
        (Adder.static, (2,), 3),
        (Adder.of_class, (2,), ("Adder", 2)),
        (len, ([1, 2],), 2),
        (int, ("7",), 7),
        ("abc".upper, (), "ABC"),
        (logged(plain), (1, 2), 3),
        (coroutine, (1, 2), 3),
        (functools.partial(coroutine, 1), (2,), 3),
        (functools.partial(functools.partial(coroutine, 1)), (2,), 3),
        (Adder(1).async_method, (2,), 3),
        (AsyncAdder(), (2,), 3),
        (logged(coroutine), (1, 2), 3),
        (lambda x: coroutine(x, 1), (1,), 2),
        (lambda x: functools.partial(coroutine, 2)(y=x), (1,), 3),
    ],
)
def test_step_of_any_kind_gives_its_value(either, function, args, expected):
    outcome = either.run(function, *args)
    assert (outcome.value, outcome.error, outcome.attempts, outcome.retry_state) == (expected, None, 1, "completed")


def test_class_as_step_gives_an_instance(either):
    outcome = either.run(Adder, 3)
    assert isinstance(outcome.value, Adder)
    assert outcome.value.base == 3


def test_keyword_arguments_reach_the_function(either):
    assert either.run(plain, 1, kwargs={"y": 4}).value == 5


def test_step_that_takes_a_context_gets_it_first(either):
    outcome = either.run(lambda ctx, x: (ctx, x), 1, context="the context", takes_context=True)
    assert outcome.value == ("the context", 1)


def test_async_step_that_takes_a_context_gets_it_first(either):
    async def step(ctx, x):
        return (ctx, x)

    assert either.run(step, 1, context="the context", takes_context=True).value == ("the context", 1)


def test_wrapped_generator_function_is_a_usage_error_and_not_retried(either):
    ran = []

    @logged
    def body():
        ran.append(1)
        yield 1

    outcome = either.run(body, policy=Constant(0))
    assert isinstance(outcome.error, UsageError)
    assert "'body' returned a generator" in str(outcome.error)
    assert (outcome.attempts, outcome.retry_state, ran) == (1, "non_retryable_failure", [])


def test_async_generator_is_a_usage_error(either):
    async def body():
        yield 1

    assert "returned a generator" in str(either.run(body).error)


def test_command_that_was_not_yielded_is_a_usage_error_and_not_retried(either):
    outcome = either.run(lambda: Sleep("id", 1, begin=False), policy=Constant(0))
    assert isinstance(outcome.error, UsageError)
    assert "Sleep" in str(outcome.error)
    assert "not yielded" in str(outcome.error)
    assert outcome.attempts == 1


def test_sync_step_runs_in_a_daemon_thread_of_its_own(steps):
    thread = steps.run(threading.current_thread).value
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_inline_step_runs_in_the_calling_thread(inline):
    assert inline.run(threading.current_thread).value is threading.current_thread()


def test_inline_async_step_works_inside_a_running_loop(inline):
    async def main():
        return inline.run(coroutine, 4).value

    assert asyncio.run(main()) == 4


def test_inline_async_step_waits_for_tasks_it_started(inline):
    seen = []

    async def later():
        await asyncio.sleep(0)
        seen.append("later")

    async def step():
        step.task = asyncio.create_task(later())
        return "early"

    assert inline.run(step).value == "early"
    assert seen == ["later"]
