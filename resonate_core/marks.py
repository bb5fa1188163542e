"""Marks: what a function or class says about itself, free of any client.

``@durable`` and ``@step`` attach data and return what they were given. Nothing is registered here, so marks never tie a
definition to a client, cause no import cycles, and tests may register substitutes under the same names.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from resonate_core.errors import UsageError
from resonate_core.retry import checked_policy

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")

DURABLE_ATTRIBUTE = "__resonate_durable__"
STEP_ATTRIBUTE = "__resonate_step__"
HANDLER_ATTRIBUTE = "__resonate_handler__"
DRIVER_ATTRIBUTE = "__resonate_driver__"

#: All marked things by identity of the function, in order of definition: what ``register_all`` registers.
_marked: list[Any] = []

HandlerKind = Literal["entry", "signal", "query", "update"]
Errors = Literal["raw", "wrapped"]


@dataclass(frozen=True)
class DurableMark:
    """What ``@durable`` said: registered name, version, default options."""

    name: str
    version: int
    options: dict[str, Any]


@dataclass(frozen=True)
class StepMark:
    """What ``@step`` said. ``retry_policy=None`` is one attempt; limits are seconds."""

    name: str
    retry_policy: Any = None
    attempt_timeout: float | None = None
    heartbeat_timeout: float | None = None
    errors: Errors = "raw"


@dataclass
class HandlerMark:
    """What ``@entry``, ``@signal``, ``@query`` or ``@update`` said; an update may have a validator."""

    kind: HandlerKind
    name: str
    validator: Callable[..., None] | None = field(default=None)


def seconds_of(value: float | timedelta | None, what: str) -> float | None:
    """Return seconds of a number or timedelta.

    Raises:
        UsageError: another type, a negative number, NaN, or no end at all (None says that).
    """
    if value is None:
        return None
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise UsageError(f"{what} must be seconds or a timedelta, got {type(value).__name__} {value!r}")
    if not 0 <= number < math.inf:
        raise UsageError(f"{what} must be finite and not negative, got {value!r}; leave it out for no limit")
    return float(number)


def checked_version(value: Any) -> int:
    """Return the version of a registered name.

    Raises:
        UsageError: no whole number, or below 1.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"version must be a whole number from 1, got {value!r}")
    return value


@overload
def durable(name: F) -> F: ...
@overload
def durable(name: str | None = None, version: int = 1, **options: Any) -> Callable[[T], T]: ...
def durable(name: Any = None, version: int = 1, **options: Any) -> Any:
    """Mark a generator function, or a class with handlers, as durable.

    Args:
        name: registered name; the function's or class's own name if left out.
        version: versions of one name run side by side; an execution stays on the one it started with.
        options: defaults of calls to it (``timeout``, ``tags``, ``retry_policy``, ``errors`` ...).

    Raises:
        UsageError: version below 1, or the thing marked is neither function nor class.
    """
    if callable(name) and not isinstance(name, str):
        return durable()(name)
    _check_name(name, "@durable")
    checked_version(version)

    def mark(thing: Any) -> Any:
        if not (inspect.isfunction(thing) or inspect.isclass(thing)):
            raise UsageError(f"@durable marks a function or a class, got {thing!r}{_order_of_decorators(thing)}")
        setattr(thing, DURABLE_ATTRIBUTE, DurableMark(name or thing.__name__, version, options))
        _marked.append(thing)
        return thing

    return mark


@overload
def step(name: F) -> F: ...
@overload
def step(
    name: str | None = None,
    retry_policy: Any = None,
    attempt_timeout: float | timedelta | None = None,
    heartbeat_timeout: float | timedelta | None = None,
    errors: Errors = "raw",
) -> Callable[[F], F]: ...
def step(
    name: Any = None,
    retry_policy: Any = None,
    attempt_timeout: float | timedelta | None = None,
    heartbeat_timeout: float | timedelta | None = None,
    errors: Errors = "raw",
) -> Any:
    """Mark a leaf function, sync or async, as a step. Its signature is untouched and it stays a plain function.

    Args:
        name: registered name; the function's own name if left out.
        retry_policy: ``None`` is one attempt.
        attempt_timeout: limit of one attempt, seconds or timedelta.
        heartbeat_timeout: limit between two heartbeats of one attempt, seconds or timedelta.
        errors: ``"raw"`` raises the step's own error, ``"wrapped"`` a ``StepError`` around it.

    Raises:
        UsageError: an argument that cannot be honoured, or the thing marked is no leaf function.
    """
    if callable(name) and not isinstance(name, str):
        return step()(name)
    _check_name(name, "@step")
    checked_policy(retry_policy)
    if errors not in ("raw", "wrapped"):
        raise UsageError(f"errors must be 'raw' or 'wrapped', got {errors!r}")
    attempt = seconds_of(attempt_timeout, "attempt_timeout")
    beat = seconds_of(heartbeat_timeout, "heartbeat_timeout")

    def mark(function: Any) -> Any:
        _check_leaf(function)
        own_name = name or getattr(function, "__name__", type(function).__name__)
        try:
            setattr(function, STEP_ATTRIBUTE, StepMark(own_name, retry_policy, attempt, beat, errors))
        except AttributeError as error:
            raise UsageError(
                f"@step cannot mark {function!r}; mark the function itself, or write one around it"
            ) from error
        _marked.append(function)
        return function

    return mark


def _check_name(name: Any, what: str) -> None:
    if name is not None and not isinstance(name, str):
        raise UsageError(f"{what} takes a name as text, got {name!r}")


def _check_leaf(function: Any) -> None:
    if not callable(function) or inspect.isclass(function) or isinstance(function, staticmethod | classmethod):
        raise UsageError(f"@step marks a function, got {function!r}{_order_of_decorators(function)}")
    if inspect.isgeneratorfunction(function):
        raise UsageError(
            f"@step marks a function that runs to its end, got the generator function {function!r}; "
            "mark it with @durable, or let a step return list(...) of what it yields"
        )


def _order_of_decorators(thing: Any) -> str:
    """Return what to do about a mark that stands above ``@staticmethod`` or ``@classmethod``: it would be lost."""
    if not isinstance(thing, staticmethod | classmethod):
        return ""
    return f"; put @{type(thing).__name__} above the mark"


def _handler(kind: HandlerKind, name: Any) -> Any:
    if callable(name) and not isinstance(name, str):
        return _handler(kind, None)(name)
    _check_name(name, f"@{kind}")

    def mark(function: Any) -> Any:
        _check_handler(kind, function)
        own = HandlerMark(kind, name or function.__name__)
        setattr(function, HANDLER_ATTRIBUTE, own)
        if kind == "update":
            function.validator = lambda check: _set_validator(own, check)
        return function

    return mark


def _check_handler(kind: HandlerKind, function: Any) -> None:
    if not inspect.isfunction(function):
        raise UsageError(f"@{kind} marks a method, got {function!r}{_order_of_decorators(function)}")
    if kind == "query" and inspect.isgeneratorfunction(function):
        raise UsageError(f"@query {function.__qualname__} must not yield: a query reads state and changes nothing")
    if kind != "entry" and (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        raise UsageError(f"@{kind} {function.__qualname__} is async, expected a plain method or a generator; write def")


def _set_validator(mark: HandlerMark, check: F) -> F:
    mark.validator = check
    return check


def entry(name: Any = None) -> Any:
    """Mark the method of a durable class at which an execution begins."""
    return _handler("entry", name)


def signal(name: Any = None) -> Any:
    """Mark a method that handles a message without an answer."""
    return _handler("signal", name)


def query(name: Any = None) -> Any:
    """Mark a method that reads state and changes nothing; it must not yield."""
    return _handler("query", name)


def update(name: Any = None) -> Any:
    """Mark a method that handles a message with an answer; ``@method.validator`` may refuse it first."""
    return _handler("update", name)


def durable_mark(thing: Any) -> DurableMark | None:
    """Return the mark of exactly this function or class; a subclass does not inherit its base's."""
    own = vars(thing) if inspect.isclass(thing) else None
    found = getattr(thing, DURABLE_ATTRIBUTE, None) if own is None else own.get(DURABLE_ATTRIBUTE)
    return found if isinstance(found, DurableMark) else None


def step_mark(thing: Any) -> StepMark | None:
    """Return the step mark of a function, bound method or partial of one."""
    found = getattr(thing, STEP_ATTRIBUTE, None)
    if found is None and hasattr(thing, "func"):
        found = getattr(thing.func, STEP_ATTRIBUTE, None)
    return found if isinstance(found, StepMark) else None


def handlers_of(cls: type) -> dict[tuple[HandlerKind, str], tuple[str, HandlerMark]]:
    """Map (kind, name) to (attribute, mark) over a class and its bases; an override replaces the inherited one.

    An override without a mark of its own keeps the mark of what it overrides.

    Raises:
        UsageError: two methods answer to one name.
    """
    found: dict[tuple[HandlerKind, str], tuple[str, HandlerMark]] = {}
    for attribute in dir(cls):
        mark = _handler_mark(cls, attribute)
        if mark is None or getattr(cls, attribute, None) is None:  # an override with None takes the handler away
            continue
        key = (mark.kind, mark.name)
        if key in found:
            raise UsageError(
                f"class {cls.__qualname__} has two methods for {mark.kind} {mark.name!r}: {found[key][0]} and "
                f"{attribute}; give one of them another name"
            )
        found[key] = (attribute, mark)
    return found


def _handler_mark(cls: type, attribute: str) -> HandlerMark | None:
    for owner in cls.__mro__:
        mark = getattr(owner.__dict__.get(attribute), HANDLER_ATTRIBUTE, None)
        if isinstance(mark, HandlerMark):
            return mark
    return None


def handler_mark(thing: Any) -> HandlerMark | None:
    """Return the mark of a handler, given as a method of its class."""
    found = getattr(thing, HANDLER_ATTRIBUTE, None)
    return found if isinstance(found, HandlerMark) else None


def handler_name(thing: Any) -> str:
    """Return the registered name of a handler given as a method or as text."""
    if isinstance(thing, str):
        return thing
    mark = getattr(thing, HANDLER_ATTRIBUTE, None)
    if isinstance(mark, HandlerMark):
        return mark.name
    name = getattr(thing, "__name__", None)
    if not isinstance(name, str):
        raise UsageError(f"expected the name of a handler or a marked method, got {thing!r}")
    return name


def all_marked() -> list[Any]:
    """Return everything marked so far in imported modules, in order of definition."""
    return list(_marked)
