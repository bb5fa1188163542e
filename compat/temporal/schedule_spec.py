"""When a schedule is due: intervals, calendars, cron expressions, exclusions, bounds and jitter, in its time zone."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from compat.temporal import cron

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from temporalio.api.schedule.v1 import Range, ScheduleSpec, StructuredCalendarSpec

#: A calendar that has no day within eight years, and the years before its first, has none at all.
_STEPS_MAX: Final = 366 * 8 + 200
#: Candidates that exclusions may strike out one after the other.
_EXCLUDED_MAX: Final = 10_000
_FUTURE: Final = 10

_FIELDS: Final = (
    ("second", 0, 59, (0,)),
    ("minute", 0, 59, (0,)),
    ("hour", 0, 23, (0,)),
    ("day_of_month", 1, 31, None),
    ("month", 1, 12, None),
    ("day_of_week", 0, 7, None),
)


def check(spec: ScheduleSpec) -> None:
    """Raise ``ValueError`` for a spec that cannot be read."""
    ZoneInfo(spec.timezone_name or "UTC")
    for text in spec.cron_string:
        cron.check(text.partition("#")[0])
    for interval in spec.interval:
        if interval.interval.ToTimedelta() <= timedelta(0):
            raise ValueError("Interval is too small")


def future_times(spec: ScheduleSpec, after: datetime, seed: str) -> list[datetime]:
    """Return when the next actions come, jitter included: at most ten, as Temporal shows."""
    times: list[datetime] = []
    while len(times) < _FUTURE and (due := next_after(spec, after, seed)) is not None:
        after = due[0]
        times.append(due[1].astimezone(UTC).replace(tzinfo=None))
    return times


def next_after(spec: ScheduleSpec, after: datetime, seed: str) -> tuple[datetime, datetime] | None:
    """Return (nominal time, time with jitter) of the first action after an instant, None if there is none.

    Args:
        spec: Temporal's.
        after: aware instant.
        seed: makes the jitter of this schedule its own, and the same every time.
    """
    if spec.HasField("start_time"):
        after = max(after, spec.start_time.ToDatetime(tzinfo=UTC) - timedelta(microseconds=1))
    for _ in range(_EXCLUDED_MAX):
        found = min(_candidates(spec, after), default=None)
        if found is None or (spec.HasField("end_time") and found > spec.end_time.ToDatetime(tzinfo=UTC)):
            return None
        if not _is_excluded(spec, found):
            return found, found + _jitter(spec, found, seed)
        after = found
    return None


def _candidates(spec: ScheduleSpec, after: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(spec.timezone_name or "UTC")
    for interval in spec.interval:
        period = interval.interval.ToTimedelta().total_seconds()
        phase = interval.phase.ToTimedelta().total_seconds()
        passed = (after.timestamp() - phase) // period
        yield datetime.fromtimestamp((passed + 1) * period + phase, tz=UTC)
    for text in spec.cron_string:
        expression = text.partition("#")[0].strip()
        if spec.timezone_name and not expression.startswith(("@every", "CRON_TZ=", "TZ=")):
            expression = f"CRON_TZ={spec.timezone_name} {expression}"
        seconds = cron.seconds_until_next(expression, after)
        found = (after + timedelta(seconds=seconds)).replace(microsecond=0)
        yield found if found > after else found + timedelta(seconds=1)
    for calendar in spec.structured_calendar:
        found_time = _next_of_calendar(calendar, after, zone)
        if found_time is not None:
            yield found_time


def _values(ranges: Sequence[Range], low: int, high: int, default: Sequence[int] | None) -> list[int]:
    if not ranges:
        return list(default) if default is not None else list(range(low, high + 1))
    found: set[int] = set()
    for part in ranges:
        end = max(part.end, part.start)
        found.update(range(part.start, end + 1, part.step or 1))
    return sorted(value for value in found if low <= value <= high)


def _sets(calendar: StructuredCalendarSpec) -> dict[str, list[int]]:
    found = {name: _values(getattr(calendar, name), low, high, default) for name, low, high, default in _FIELDS}
    found["day_of_week"] = sorted({day % 7 for day in found["day_of_week"]})
    return found


def _fits_day(calendar: StructuredCalendarSpec, sets: dict[str, list[int]], day: datetime) -> bool:
    fits = (
        day.day in sets["day_of_month"] and day.month in sets["month"] and day.isoweekday() % 7 in sets["day_of_week"]
    )
    return fits and (not calendar.year or day.year in _values(calendar.year, 1900, 9999, None))


def _next_of_calendar(calendar: StructuredCalendarSpec, after: datetime, zone: ZoneInfo) -> datetime | None:
    sets = _sets(calendar)
    local = after.astimezone(zone)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for _ in range(_STEPS_MAX):
        if calendar.year and day.year not in _values(calendar.year, 1900, 9999, None):
            day = day.replace(year=day.year + 1, month=1, day=1)
            continue
        if _fits_day(calendar, sets, day):
            for found in _times(sets, day):
                instant = found.replace(tzinfo=zone).astimezone(UTC)
                exists = instant.astimezone(zone).replace(tzinfo=None) == found
                if exists and instant > after:
                    return instant
        day += timedelta(days=1)
    return None


def _times(sets: dict[str, list[int]], day: datetime) -> Iterable[datetime]:
    for hour in sets["hour"]:
        for minute in sets["minute"]:
            for second in sets["second"]:
                yield day.replace(hour=hour, minute=minute, second=second)


def _is_excluded(spec: ScheduleSpec, instant: datetime) -> bool:
    local = instant.astimezone(ZoneInfo(spec.timezone_name or "UTC"))
    for calendar in spec.exclude_structured_calendar:
        sets = _sets(calendar)
        in_time = local.hour in sets["hour"] and local.minute in sets["minute"] and local.second in sets["second"]
        if in_time and _fits_day(calendar, sets, local):
            return True
    return False


def _jitter(spec: ScheduleSpec, nominal: datetime, seed: str) -> timedelta:
    longest = spec.jitter.ToTimedelta().total_seconds()
    if not longest:
        return timedelta(0)
    drawn = int.from_bytes(hashlib.blake2b(f"{seed}{nominal.timestamp()}".encode(), digest_size=8).digest(), "big")
    return timedelta(seconds=longest * drawn / 2**64)
