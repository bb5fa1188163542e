"""Retry policies: when a failed attempt is followed by another one.

``Exponential``, ``Linear``, ``Constant`` and ``Never`` are those of the generator SDK: ``max_retries`` counts what
comes after the first attempt, and the first wait of ``Exponential`` is ``delay * factor``. ``Backoff`` says it in the
words of Temporal and DBOS: ``max_attempts`` counts all attempts, and the first wait is ``initial``. Seconds everywhere;
the one decision that the runtime takes, ``next_delay_ms``, is in milliseconds.

Source: resonate-sdk 0.6.7, ``resonate.retry_policies``; a float that overflows there is the largest delay here.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from resonate_core.errors import CodecError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    #: An error class, or its name: ``KeyError``, ``"KeyError"``, ``"app.errors.Declined"``, an application's own type.
    ErrorName = type[BaseException] | str

#: Endless, in the SDK's word.
UNLIMITED: Final = sys.maxsize

#: Longest wait between two attempts, whatever a policy computes: a year.
WAIT_MAX_S: Final = 31_536_000.0

#: Errors of the program itself: another attempt would fail in the same way and repeat the step's effects.
_FINAL_ERRORS: Final = (UsageError, CodecError)

#: Whole numbers above this lose digits in JSON readers of other languages.
_JSON_INT_MAX: Final = 2**53 - 1


class RetryPolicy(Protocol):
    """Anything that says how long to wait after a failed attempt."""

    def next(self, attempt: int, /) -> float | None:
        """Return seconds before the retry of this number (1 is the first retry), or None to give up."""


def _checked(value: Any, what: str, *, above: float | None = None, at_least: float | None = None) -> float:
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise UsageError(f"{what} must be a number, got {type(value).__name__} {value!r}")
    if not math.isfinite(number):
        raise UsageError(f"{what} must be finite, got {value!r}")
    if above is not None and number <= above:
        raise UsageError(f"{what} must be above {above:g}, got {value!r}")
    if at_least is not None and number < at_least:
        raise UsageError(f"{what} must be at least {at_least:g}, got {value!r}")
    return float(number)


def _checked_count(value: Any, what: str, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{what} must be a whole number from {least}, got {value!r}")


def _grown(start: float, factor: float, power: int, limit: float) -> float:
    """Return ``start * factor ** power``, at most ``limit``; what overflows is beyond every limit."""
    try:
        return min(start * factor**power, limit)
    except OverflowError:
        return limit if start else 0.0


@dataclass(frozen=True)
class Exponential:
    """Waits ``min(delay * factor ** k, max_delay)`` seconds before retry k: 2, 4, 8, 16, 30, 30 by default."""

    delay: float = 1
    max_retries: int = UNLIMITED
    factor: float = 2
    max_delay: float = 30

    def __post_init__(self) -> None:
        _checked(self.delay, "Exponential(delay=)", at_least=0)
        _checked(self.factor, "Exponential(factor=)", above=0)
        _checked(self.max_delay, "Exponential(max_delay=)", at_least=0)
        _checked_count(self.max_retries, "Exponential(max_retries=)", 0)

    def next(self, attempt: int) -> float | None:
        """Return seconds before a retry, 0 for the first attempt, None to give up."""
        if attempt > self.max_retries:
            return None
        return 0 if attempt == 0 else _grown(self.delay, self.factor, attempt, self.max_delay)


@dataclass(frozen=True)
class Linear:
    """Waits ``delay * k`` seconds before retry k."""

    delay: float = 1
    max_retries: int = UNLIMITED

    def __post_init__(self) -> None:
        _checked(self.delay, "Linear(delay=)", at_least=0)
        _checked_count(self.max_retries, "Linear(max_retries=)", 0)

    def next(self, attempt: int) -> float | None:
        """Return seconds before a retry, 0 for the first attempt, None to give up."""
        return None if attempt > self.max_retries else self.delay * attempt


@dataclass(frozen=True)
class Constant:
    """Waits ``delay`` seconds before every retry."""

    delay: float = 1
    max_retries: int = UNLIMITED

    def __post_init__(self) -> None:
        _checked(self.delay, "Constant(delay=)", at_least=0)
        _checked_count(self.max_retries, "Constant(max_retries=)", 0)

    def next(self, attempt: int) -> float | None:
        """Return seconds before a retry, 0 for the first attempt, None to give up."""
        if attempt > self.max_retries:
            return None
        return 0 if attempt == 0 else self.delay


@dataclass(frozen=True)
class Never:
    """One attempt."""

    def next(self, attempt: int) -> float | None:
        """Return 0 for the first attempt, None for any retry."""
        return 0 if attempt == 0 else None


@dataclass(frozen=True, init=False)
class Backoff:
    """Retries as Temporal and DBOS describe them.

    Args:
        initial: wait before the first retry, seconds or timedelta.
        factor: every further wait is this much longer.
        max_delay: longest wait, seconds or timedelta; None for no limit.
        max_attempts: attempts in all, the first one included; None is endless.
        non_retryable: errors that are final, by class or by name; subclasses are included, and so is the ``type`` of
            an ``ApplicationError``.

    Raises:
        UsageError: a number that is negative, NaN or of another type.
    """

    initial: float
    factor: float
    max_delay: float | None
    max_attempts: int | None
    non_retryable: tuple[ErrorName, ...] = field(default=())

    def __init__(
        self,
        initial: float | timedelta,
        factor: float = 2.0,
        max_delay: float | timedelta | None = None,
        max_attempts: int | None = None,
        non_retryable: Iterable[ErrorName] = (),
    ) -> None:
        put = functools.partial(object.__setattr__, self)
        put("initial", _checked(initial, "Backoff(initial=)", at_least=0))
        put("factor", _checked(factor, "Backoff(factor=)", above=0))
        put("max_delay", None if max_delay is None else _checked(max_delay, "Backoff(max_delay=)", at_least=0))
        if max_attempts is not None:
            _checked_count(max_attempts, "Backoff(max_attempts=)", 1)
        put("max_attempts", max_attempts)
        put("non_retryable", checked_names(non_retryable, "Backoff(non_retryable=)"))

    def next(self, attempt: int, error: BaseException | None = None) -> float | None:
        """Return seconds before a retry, 0 for the first attempt, None to give up."""
        if attempt == 0:
            return 0
        if self.max_attempts is not None and attempt >= self.max_attempts:
            return None
        if error is not None and matches(error, self.non_retryable):
            return None
        limit = WAIT_MAX_S if self.max_delay is None else self.max_delay
        return _grown(self.initial, self.factor, attempt - 1, limit)


def checked_names(names: Any, what: str) -> tuple[ErrorName, ...]:
    """Return error classes and names as a tuple.

    Raises:
        UsageError: something else stands among them.
    """
    found: tuple[Any, ...] = (names,) if isinstance(names, str | type) else tuple(names)
    for name in found:
        if not (isinstance(name, str) or (isinstance(name, type) and issubclass(name, BaseException))):
            raise UsageError(f"{what} takes error classes and names, got {name!r}")
    return found


def matches(error: BaseException, names: Iterable[ErrorName]) -> bool:
    """Say whether an error is one of the named: its class, a base class, its name in any form, or its own type name."""
    own = getattr(error, "type", None)
    for name in names:
        if isinstance(name, type):
            if isinstance(error, name):
                return True
        elif name == own or any(name in _names_of(cls) for cls in type(error).__mro__):
            return True
    return False


@functools.lru_cache(maxsize=1024)
def _names_of(cls: type) -> frozenset[str]:
    module, qualname = cls.__module__, cls.__qualname__
    return frozenset((cls.__name__, qualname, f"{module}.{qualname}", f"{module}:{qualname}"))


def next_delay_ms(
    policy: Any, *, attempt: int, error: BaseException | None, non_retryable: Iterable[ErrorName] = ()
) -> int | None:
    """Decide what follows a failed attempt.

    Args:
        policy: anything with ``next(attempt)`` or ``next(attempt, error)``; None is one attempt.
        attempt: attempts made so far, from 1.
        error: how the last one failed.
        non_retryable: further errors that are final.

    Returns:
        Milliseconds to wait, at least 0, or None to give up.

    Raises:
        UsageError: attempt is below 1, or the policy answers with something that is no delay.
    """
    if attempt < 1:
        raise UsageError(f"attempt counts from 1, got {attempt}")
    if policy is None or (error is not None and is_final(error, non_retryable)):
        return None
    seconds = policy.next(attempt, error) if _takes_error(policy.__class__) else policy.next(attempt)
    if seconds is None:
        return None
    own = getattr(error, "next_retry_delay", None)
    what = f"delay from {policy!r}" if own is None else f"next_retry_delay of {type(error).__name__}"
    return round(min(_checked(seconds if own is None else own, what, at_least=0), WAIT_MAX_S) * 1000)


def is_final(error: BaseException, non_retryable: Iterable[ErrorName] = ()) -> bool:
    """Say whether an error ends all attempts whatever the policy."""
    return (
        getattr(error, "non_retryable", False) is True
        or isinstance(error, _FINAL_ERRORS)
        or matches(error, non_retryable)
    )


def give_up_reason(
    policy: Any, error: BaseException, non_retryable: Iterable[ErrorName] = ()
) -> Literal["retry_policy_not_set", "non_retryable_failure", "maximum_attempts_reached"]:
    """Say why ``next_delay_ms`` returned None."""
    if is_final(error, non_retryable) or matches(error, getattr(policy, "non_retryable", ())):
        return "non_retryable_failure"
    return "retry_policy_not_set" if policy is None else "maximum_attempts_reached"


@functools.lru_cache(maxsize=256)
def _takes_error(policy_class: Any) -> bool:
    if policy_class is Backoff:
        return True
    try:
        parameters = list(inspect.signature(policy_class.next).parameters.values())[1:]
    except (TypeError, ValueError):
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 1 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def resolve(policy: Any, function: Any) -> Any:
    """Return the policy that an option names: a policy, None, or a function from the step to its policy.

    Raises:
        UsageError: neither of those.
    """
    checked_policy(policy)
    if policy is None or callable(getattr(policy, "next", None)):
        return policy
    return resolve(policy(function), function)


def checked_policy(policy: Any) -> Any:
    """Return what may stand as ``retry_policy=``.

    Raises:
        UsageError: no policy, or the class of one instead of an instance.
    """
    if isinstance(policy, type):
        raise UsageError(
            f"retry_policy must be an instance, got the class {policy.__name__}; write {policy.__name__}(...)"
        )
    if policy is None or callable(getattr(policy, "next", None)) or callable(policy):
        return policy
    raise UsageError(f"retry_policy must be None or have next(attempt), such as Backoff(1), got {policy!r}")


def to_wire(policy: Any) -> dict[str, Any] | None:
    """Return the form in which a policy travels with a call; None stays None.

    The form is that of the TypeScript SDK, delays in milliseconds; what it cannot say stands beside it.

    Raises:
        UsageError: a policy of the user's own class, which another process cannot rebuild.
    """
    if policy is None:
        return None
    match policy:
        case Never():
            return {"type": "never", "data": {}}
        case Constant() | Linear():
            return {"type": type(policy).__name__.lower(), "data": _wire_data(policy.delay, policy.max_retries)}
        case Exponential():
            more = {"factor": policy.factor, "maxDelay": policy.max_delay * 1000}
            return {"type": "exponential", "data": _wire_data(policy.delay, policy.max_retries) | more}
        case Backoff():
            return _backoff_to_wire(policy)
    raise UsageError(
        f"retry policy {policy!r} cannot travel to another process; "
        "use Backoff, Exponential, Linear, Constant or Never, or set it on the step itself",
    )


def _wire_data(delay: float, max_retries: int) -> dict[str, Any]:
    return {"delay": delay * 1000, "maxRetries": min(max_retries, _JSON_INT_MAX)}


def _backoff_to_wire(policy: Backoff) -> dict[str, Any]:
    retries = _JSON_INT_MAX if policy.max_attempts is None else policy.max_attempts - 1
    limit = WAIT_MAX_S if policy.max_delay is None else policy.max_delay
    data = _wire_data(policy.initial / policy.factor, retries)
    return {
        "type": "exponential",
        "data": data | {"factor": policy.factor, "maxDelay": limit * 1000},
        "backoff": {
            "initial": policy.initial,
            "factor": policy.factor,
            "maxDelay": policy.max_delay,
            "maxAttempts": policy.max_attempts,
            "nonRetryable": [_wire_name(name) for name in policy.non_retryable],
        },
    }


def _wire_name(name: ErrorName) -> str:
    return f"{name.__module__}:{name.__qualname__}" if isinstance(name, type) else name


def from_wire(wire: Mapping[str, Any] | None) -> Any:
    """Return the policy of its travelling form, whoever wrote it.

    Raises:
        UsageError: an unknown type, or numbers that make no policy.
    """
    if wire is None:
        return None
    try:
        own = wire.get("backoff")
        if own is not None:
            return Backoff(
                own["initial"], own["factor"], own["maxDelay"], own["maxAttempts"], tuple(own["nonRetryable"])
            )
        return _from_foreign(wire["type"], wire.get("data") or {})
    except (LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"stored retry policy {wire!r} cannot be read: {type(error).__name__}: {error}") from error


def _from_foreign(kind: str, data: Mapping[str, Any]) -> Any:
    if kind == "never":
        return Never()
    retries = data.get("maxRetries")
    count = UNLIMITED if not isinstance(retries, int) or retries >= _JSON_INT_MAX else retries
    delay = data["delay"] / 1000
    if kind == "exponential":
        return Exponential(delay, count, data.get("factor", 2), data.get("maxDelay", 30_000) / 1000)
    return {"constant": Constant, "linear": Linear}[kind](delay, count)
