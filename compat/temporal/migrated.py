"""What of the shim knows migrated code: ``@durable`` functions and classes, ``@step`` functions.

A project that is migrated in part keeps its client and worker on the shim: ``Worker(workflows=[Old, new_flow])`` and
``client.start_workflow(new_flow, ...)`` take migrated things beside temporalio's own, and so do child workflows and
handles. All that temporalio is told about them is a *definition*: the registered name, and the types of arguments and
result. A migrated workflow then runs as plain Resonate code, on the member of the group that the worker is for its task
queue; nothing of the shim stands between it and its steps.

A step that both kinds of workflows call is one function with one mark. For workflows of the shim it is an activity:
retried and limited as the call says, while ``heartbeat`` and ``step_info`` reach Temporal's activity.
"""

from __future__ import annotations

import functools
import inspect
import typing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import temporalio.activity
import temporalio.exceptions

from resonate_core import (
    ApplicationError,
    StepInfo,
    all_marked,
    durable_mark,
    handler_mark,
    handlers_of,
    step_mark,
    step_scope,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from resonate_core import Resonate


@dataclass(frozen=True)
class Migrated:
    """What plain Resonate code runs of all that a worker is given.

    Attributes:
        workflows: durable functions and classes.
        steps: activities by name; a migrated workflow finds them so, and tests may give substitutes.
    """

    workflows: tuple[Any, ...] = ()
    steps: Mapping[str, Any] = field(default_factory=dict)

    def register(self, member: Resonate, as_step: Callable[[Any], Any]) -> None:
        """Let a member of a group run all of it.

        Args:
            member: of the group of the workflows.
            as_step: makes of a function that is an activity too what runs as a step.
        """
        member.register(*self.workflows)
        for name, step in self.steps.items():
            member.register(as_step(step) if is_activity(step) else step, name=name)


def is_activity(function: Any) -> bool:
    """Whether a function carries Temporal's own mark."""
    return hasattr(function, "__temporal_activity_definition")


def split(
    workflows: Iterable[Any], activities: Iterable[Any], name_of: Callable[[Any], str | None]
) -> tuple[list[Any], Migrated]:
    """Return temporalio's own workflows, and what is migrated.

    Activities that are no steps yet are registered as steps too: a migrated workflow may call one by name, and a
    substitute in a test takes the place of the step whose name it has.

    Args:
        workflows: of a worker.
        activities: of a worker.
        name_of: says under which name an activity is registered.
    """
    everything, steps = list(workflows), list(activities)
    durables = tuple(thing for thing in everything if durable_mark(thing) is not None)
    if not durables and not any(step_mark(one) for one in steps):
        return everything, Migrated()
    named = {name: one for one in steps if (name := name_of(one)) is not None}
    return [thing for thing in everything if durable_mark(thing) is None], Migrated(durables, named)


def is_known_name(name: str | None) -> bool:
    """Whether a migrated workflow that this process has imported has a name."""
    return any((mark := durable_mark(thing)) is not None and mark.name == name for thing in all_marked())


# -- what temporalio asks ------------------------------------------------------------------------------------------


def workflow_of(thing: Any) -> tuple[str, Any] | None:
    """Return (registered name, type of the result) of a durable function, a durable class or its entry."""
    mark = durable_mark(thing)
    if mark is not None:
        return mark.name, _result(_entry_of(thing) if inspect.isclass(thing) else thing)
    entered = handler_mark(thing)
    if entered is None or entered.kind != "entry":
        return None
    for owner in all_marked():
        mark = durable_mark(owner)
        if mark is not None and inspect.isclass(owner) and _entry_of(owner) is thing:
            return mark.name, _result(thing)
    return None


def _entry_of(cls: type) -> Any:
    return next(getattr(cls, attribute) for (kind, _), (attribute, _) in handlers_of(cls).items() if kind == "entry")


def handler_of(kind: str, method: Any) -> tuple[str, Any] | None:
    """Return (registered name, type of the answer) of a handler of a durable class."""
    mark = handler_mark(method)
    return (mark.name, _result(method)) if mark is not None and mark.kind == kind else None


def _result(function: Any) -> Any:
    """Return the annotated result; of a generator it is what comes out at its end."""
    try:
        hint = typing.get_type_hints(function).get("return")
    except (NameError, TypeError, AttributeError):
        return None  # names for the type checker alone: the result stays plain JSON
    if getattr(typing.get_origin(hint), "__name__", "") == "Generator":
        arguments = typing.get_args(hint)
        return arguments[2] if len(arguments) == 3 else None
    return hint


def activity_of(function: Any) -> tuple[str, Callable[..., Any]] | None:
    """Return (registered name, what a worker runs) of a step."""
    mark = step_mark(function)
    return None if mark is None else (mark.name, _as_activity(function))


# -- a step as an activity -----------------------------------------------------------------------------------------


class _Scope:
    """The running activity, as ``heartbeat`` and ``step_info`` see it."""

    def beat(self, details: tuple[Any, ...]) -> None:
        """Heartbeat."""
        temporalio.activity.heartbeat(*details)

    def info(self) -> StepInfo:
        """Describe the attempt."""
        about = temporalio.activity.info()
        return StepInfo(
            id=about.activity_id,
            root_id=about.workflow_id or about.activity_id,
            name=about.activity_type,
            attempt=about.attempt,
            started_ms=round(about.started_time.timestamp() * 1000),
            deadline_ms=None,
            attempt_timeout_ms=_ms(about.start_to_close_timeout),
            heartbeat_timeout_ms=_ms(about.heartbeat_timeout),
            heartbeat_details=tuple(about.heartbeat_details),
            is_cancelled=temporalio.activity.is_cancelled(),
        )


def _ms(limit: Any) -> int | None:
    return round(limit.total_seconds() * 1000) if limit else None


def _as_activity(function: Any) -> Callable[..., Any]:
    """Return a function that runs a step inside an activity, and raises what temporalio understands."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 - an object with an async __call__ is one

        @functools.wraps(function)
        async def run_async(*args: Any) -> Any:
            with step_scope(_Scope()):
                try:
                    return await function(*args)
                except ApplicationError as error:
                    raise _translated(error) from error

        return run_async

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        with step_scope(_Scope()):
            try:
                return function(*args)
            except ApplicationError as error:
                raise _translated(error) from error

    return run


def _translated(error: ApplicationError) -> temporalio.exceptions.ApplicationError:
    return temporalio.exceptions.ApplicationError(
        error.message,
        *error.details,
        type=error.type,
        non_retryable=error.non_retryable,
        next_retry_delay=None if error.next_retry_delay is None else timedelta(seconds=error.next_retry_delay),
    )
