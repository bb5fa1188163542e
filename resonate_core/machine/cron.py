"""Cron expressions in the dialect of the Resonate Server, read strictly, computed by croniter.

Five fields (minute first), six (second first) or seven (year last), or ``@yearly @monthly @weekly @daily @hourly``.
Days of the week are names or 1 to 7, **1 is Sunday**; day of month and day of week must both match; ranges ascend; UTC.
The expression is expanded to plain lists of numbers, the one notation in which this dialect and croniter cannot differ.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec
from croniter import croniter
from croniter.croniter import CroniterBadDateError

from resonate_core.limits import INSTANT_MAX_MS
from resonate_core.machine.refusal import invalid

_MACROS: Final = {
    "@yearly": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * SUN",
    "@daily": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_EXTRA_NAMES: Final = {"sept": 9, "tues": 3, "thur": 5, "thurs": 5}


class _Field(msgspec.Struct, frozen=True):
    """One field: its name, its bounds, its words."""

    name: str
    low: int
    high: int
    words: dict[str, int] = {}
    may_be_any: bool = False


def _words(names: tuple[str, ...], *extra: str) -> dict[str, int]:
    words = {name: number for number, name in enumerate(names, 1)}
    words |= {name[:3]: number for name, number in words.items()}
    return words | {name: _EXTRA_NAMES[name] for name in extra}


_FIELDS: Final = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31, may_be_any=True),
    _Field("month", 1, 12, _words(_MONTHS, "sept")),
    _Field("day of week", 1, 7, _words(_DAYS, "tues", "thur", "thurs"), may_be_any=True),
    _Field("year", 1970, 2099),
)
_DAY_OF_WEEK: Final = 5


@lru_cache(maxsize=1024)
def canonical(expression: str) -> str:
    """Expand an expression to what croniter reads, or refuse it.

    Raises:
        RefusedError: 400, with the field and what it may hold.
    """
    text = _MACROS.get(expression.strip().lower(), expression)
    parts = text.split()
    if len(parts) == 5:
        parts.insert(0, "0")
    if len(parts) not in (6, 7):
        raise invalid(f"cron expression {expression!r} has {len(parts)} fields; expected 5, 6 (seconds first) or 7")
    fields = [_expand(part, field, expression) for part, field in zip(parts, _FIELDS, strict=False)]
    fields[_DAY_OF_WEEK] = _posix_days(fields[_DAY_OF_WEEK])
    return " ".join(fields)


def _posix_days(days: str) -> str:
    return days if days == "*" else ",".join(str(int(day) - 1) for day in days.split(","))


def _expand(text: str, field: _Field, expression: str) -> str:
    """Expand one field to ``*`` or a sorted list of numbers."""
    if text == "*" or (text == "?" and field.may_be_any):
        return "*"
    numbers: set[int] = set()
    for item in text.split(","):
        found = _item(item, field)
        if not found:
            raise invalid(
                f"cron expression {expression!r}: {item!r} is no {field.name}; "
                f"expected {field.low} to {field.high}, ascending ranges, steps of at least 1",
            )
        numbers.update(found)
    return ",".join(str(number) for number in sorted(numbers))


def _item(item: str, field: _Field) -> range:
    """Read ``*``, ``n``, ``a-b`` and their steps; an empty range is an error."""
    base, slash, step_text = item.partition("/")
    step = _number(step_text, {}) if slash else 1
    if not step:
        return range(0)
    if base == "*":
        return range(field.low, field.high + 1, step)
    low_text, dash, high_text = base.partition("-")
    low = _number(low_text, field.words)
    high = _number(high_text, field.words) if dash else field.high if slash else low
    if low is None or high is None or not field.low <= low <= high <= field.high:
        return range(0)
    return range(low, high + 1, step)


def _number(text: str, words: dict[str, int]) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    return words.get(text.lower())


def next_instant(expression: str, after_ms: int) -> int:
    """Return the first instant strictly after another, in whole seconds; the end of time if there is none.

    Raises:
        RefusedError: 400, the expression cannot be read.
    """
    cron = canonical(expression)
    start = datetime.fromtimestamp(after_ms // 1000, tz=UTC)
    try:
        found = croniter(cron, start, day_or=False, second_at_beginning=True).get_next(datetime)
    except CroniterBadDateError:
        return INSTANT_MAX_MS
    return int(found.timestamp()) * 1000
