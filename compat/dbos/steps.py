"""Steps: plain functions that are recorded when a workflow calls them.

Retries follow DBOS: none unless allowed, then ``max_attempts`` in all, waits of interval * rate ** n up to an hour, and
at the end ``DBOSMaxStepRetriesExceeded`` with what each attempt raised. They are made inside one recorded step, so the
error that the workflow saw is the error that it sees again.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.context import StepPlace, step_here, workflow_here
from compat.dbos.error import DBOSMaxStepRetriesExceeded
from compat.dbos.roles import auth_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from compat.dbos.functions import StepRules

_WAIT_MAX_S: Final = 3600.0


class _Call:
    """One call of a step: DBOS hands arguments on as they are, so the runtime must not look into them."""

    __slots__ = ("args", "auth", "here", "kwargs")

    def __init__(self, here: StepPlace, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.here = here
        self.auth = auth_here.get()
        self.args = args
        self.kwargs = kwargs


def call_step(rules: StepRules, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a step: recorded in a workflow, inline in another step, plainly anywhere else."""
    place = workflow_here.get()
    if place is None or step_here.get() is not None:
        return function(*args, **kwargs)
    here = StepPlace(place.id, place.next_step_id(), rules.name, 0, rules.max_attempts)
    runner, call = runner_of(rules, function), _Call(here, args, kwargs)

    def operation(ctx: Any) -> Any:
        return (yield ctx.run(runner, call).options(retry_policy=None))

    return place.asker.ask(operation)


async def call_step_async(
    rules: StepRules, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a step from async code."""
    place = workflow_here.get()
    if place is None or step_here.get() is not None:
        found = function(*args, **kwargs)
        return await found if inspect.isawaitable(found) else found
    here = StepPlace(place.id, place.next_step_id(), rules.name, 0, rules.max_attempts)
    runner, call = runner_of(rules, function), _Call(here, args, kwargs)

    def operation(ctx: Any) -> Any:
        return (yield ctx.run(runner, call).options(retry_policy=None))

    return await place.asker.ask_async(operation)


@functools.lru_cache(maxsize=4096)
def runner_of(rules: StepRules, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what the runtime records as one step: the function with its retries."""
    runner = _async_runner(rules, function) if inspect.iscoroutinefunction(function) else _runner(rules, function)
    runner.__name__ = runner.__qualname__ = rules.name
    return runner


def _runner(rules: StepRules, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(call: _Call) -> Any:
        here = call.here
        errors: list[Exception] = []
        token, acts = step_here.set(here), auth_here.set(call.auth)
        try:
            while True:
                try:
                    return function(*call.args, **call.kwargs)
                except Exception as error:  # noqa: BLE001 - the step decides what it raises
                    time.sleep(_pause(rules, errors, error))
                    here.current_attempt = len(errors)
        finally:
            step_here.reset(token)
            auth_here.reset(acts)

    return run


def _async_runner(rules: StepRules, function: Callable[..., Any]) -> Callable[..., Any]:
    async def run(call: _Call) -> Any:
        here = call.here
        errors: list[Exception] = []
        token, acts = step_here.set(here), auth_here.set(call.auth)
        try:
            while True:
                try:
                    return await function(*call.args, **call.kwargs)
                except Exception as error:  # noqa: BLE001 - the step decides what it raises
                    await asyncio.sleep(_pause(rules, errors, error))
                    here.current_attempt = len(errors)
        finally:
            step_here.reset(token)
            auth_here.reset(acts)

    return run


def _pause(rules: StepRules, errors: list[Exception], error: Exception) -> float:
    """Return the wait before the next attempt, or raise what the step ends with."""
    if rules.max_attempts <= 1 or (rules.should_retry is not None and not rules.should_retry(error)):
        raise error
    errors.append(error)
    if len(errors) >= rules.max_attempts:
        raise DBOSMaxStepRetriesExceeded(
            f"step {rules.name} has failed {rules.max_attempts} times; the last error was {error!r}", errors
        ) from error
    return min(rules.interval * rules.rate ** (len(errors) - 1), _WAIT_MAX_S)
