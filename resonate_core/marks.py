"""Marks: what a function or class says about itself, free of any client.

``@durable`` and ``@step`` attach data and return what they were given. Nothing is registered here, so marks never tie a
definition to a client, cause no import cycles, and tests may register substitutes under the same names.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from resonate_core.errors import UsageError

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
    """Return seconds of a number or timedelta; refuse NaN, negative numbers and other types by name."""
    if value is None:
        return None
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise UsageError(f"{what} must be seconds or a timedelta, got {type(value).__name__} {value!r}")
    if number != number or number < 0:  # noqa: PLR0124 - NaN is the one value unequal to itself
        raise UsageError(f"{what} must not be negative or NaN, got {value!r}")
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
    checked_version(version)

    def mark(thing: Any) -> Any:
        if not (inspect.isfunction(thing) or inspect.isclass(thing)):
            raise UsageError(f"@durable marks a function or a class, got {thing!r}")
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
    """
    if callable(name) and not isinstance(name, str):
        return step()(name)
    if errors not in ("raw", "wrapped"):
        raise UsageError(f"errors must be 'raw' or 'wrapped', got {errors!r}")
    attempt = seconds_of(attempt_timeout, "attempt_timeout")
    beat = seconds_of(heartbeat_timeout, "heartbeat_timeout")

    def mark(function: Any) -> Any:
        own_name = name or getattr(function, "__name__", type(function).__name__)
        setattr(function, STEP_ATTRIBUTE, StepMark(own_name, retry_policy, attempt, beat, errors))
        _marked.append(function)
        return function

    return mark


def _handler(kind: HandlerKind, name: Any) -> Any:
    if callable(name) and not isinstance(name, str):
        return _handler(kind, None)(name)

    def mark(function: Any) -> Any:
        own = HandlerMark(kind, name or function.__name__)
        setattr(function, HANDLER_ATTRIBUTE, own)
        if kind == "update":
            function.validator = lambda check: _set_validator(own, check)
        return function

    return mark


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
    """
    found: dict[tuple[HandlerKind, str], tuple[str, HandlerMark]] = {}
    for attribute in dir(cls):
        for owner in cls.__mro__:
            mark = getattr(owner.__dict__.get(attribute), HANDLER_ATTRIBUTE, None)
            if isinstance(mark, HandlerMark):
                found[mark.kind, mark.name] = (attribute, mark)
                break
    return found


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
