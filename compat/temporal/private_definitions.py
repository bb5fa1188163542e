"""The other private names of temporalio: how it finds out what a function or class is, see ``private``.

Four lookups are asked for the definition of what a program hands over. Where temporalio has none, migrated code may.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import temporalio.activity
import temporalio.workflow

from compat.temporal.migrated import activity_of, handler_of, workflow_of

if TYPE_CHECKING:
    from collections.abc import Callable


def install() -> None:
    """Let temporalio take migrated workflows, handlers and steps wherever it takes its own."""
    workflows: Any = temporalio.workflow._Definition  # noqa: SLF001 - the seam this module is for
    if getattr(workflows.from_run_fn, "is_resonate", False):
        return
    _extend(workflows, "from_run_fn", _workflow)
    _extend(temporalio.workflow._SignalDefinition, "from_fn", _signal)  # noqa: SLF001 - as above
    _extend(temporalio.workflow._QueryDefinition, "from_fn", _query)  # noqa: SLF001 - as above
    _extend(temporalio.activity._Definition, "from_callable", _activity)  # noqa: SLF001 - as above
    updates: Any = temporalio.workflow._UpdateDefinition  # noqa: SLF001 - as above
    asked = updates.get_name_and_result_type

    def name_and_result(update: Any) -> tuple[str, Any]:
        found = handler_of("update", update)
        return asked(update) if found is None else found

    updates.get_name_and_result_type = staticmethod(name_and_result)


def activity_name(function: Any) -> str | None:
    """Return the name that an activity is registered under, None for one that takes every name."""
    found = temporalio.activity._Definition.from_callable(function)  # noqa: SLF001 - as above
    return None if found is None else found.name


def _extend(owner: Any, name: str, other: Callable[[Any], Any]) -> None:
    """Ask ``other`` where a lookup of temporalio's finds nothing."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def lookup(thing: Any) -> Any:
        found = original(thing)
        return other(thing) if found is None else found

    lookup.is_resonate = True  # type: ignore[attr-defined]
    setattr(owner, name, staticmethod(lookup))


def _workflow(thing: Any) -> Any:
    found = workflow_of(thing)
    if found is None:
        return None
    name, result = found
    return temporalio.workflow._Definition(  # noqa: SLF001 - what the lookup gives
        name=name,
        cls=thing if inspect.isclass(thing) else type(None),
        run_fn=thing,
        signals={},
        queries={},
        updates={},
        sandboxed=False,
        failure_exception_types=(),
        arg_types=[],
        ret_type=result,
    )


def _signal(method: Any) -> Any:
    found = handler_of("signal", method)
    return found and temporalio.workflow._SignalDefinition(  # noqa: SLF001 - what the lookup gives
        name=found[0], fn=method, is_method=True, arg_types=[]
    )


def _query(method: Any) -> Any:
    found = handler_of("query", method)
    return found and temporalio.workflow._QueryDefinition(  # noqa: SLF001 - what the lookup gives
        name=found[0], fn=method, is_method=True, arg_types=[], ret_type=found[1]
    )


def _activity(function: Any) -> Any:
    found = activity_of(function)
    if found is None:
        return None
    name, runs = found
    is_async = inspect.iscoroutinefunction(runs)
    return temporalio.activity._Definition(  # noqa: SLF001 - what the lookup gives
        name=name, fn=runs, is_async=is_async, no_thread_cancel_exception=False
    )
