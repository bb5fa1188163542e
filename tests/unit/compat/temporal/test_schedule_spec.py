from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.schedule.v1 import ScheduleSpec

from compat.temporal.schedule_spec import check, next_after

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def spec(**fields: object) -> ScheduleSpec:
    return ScheduleSpec(**fields)  # type: ignore[arg-type]


def times(of: ScheduleSpec, count: int, after: datetime = NOON) -> list[str]:
    found = []
    for _ in range(count):
        due = next_after(of, after, "seed")
        if due is None:
            break
        after = due[0]
        found.append(after.strftime("%Y-%m-%d %H:%M:%S"))
    return found


def test_interval_is_due_at_its_multiples_plus_phase() -> None:
    every = spec()
    part = every.interval.add()
    part.interval.FromSeconds(3600)
    part.phase.FromSeconds(90)
    assert times(every, 2) == ["2024-05-01 12:01:30", "2024-05-01 13:01:30"]


def test_calendar_stays_on_the_wall_clock_over_the_change_of_seasons() -> None:
    daily = spec(timezone_name="Europe/Berlin")
    calendar = daily.structured_calendar.add()
    calendar.hour.add(start=9)
    after = datetime(2024, 10, 26, 0, 0, tzinfo=UTC)
    assert times(daily, 2, after) == ["2024-10-26 07:00:00", "2024-10-27 08:00:00"]


def test_cron_string_stays_on_the_wall_clock_too() -> None:
    yearly = spec(timezone_name="Europe/Berlin", cron_string=["30 12 1 1 *"])
    assert times(yearly, 1) == ["2025-01-01 11:30:00"]


def test_calendar_without_a_day_is_never_due() -> None:
    never = spec()
    calendar = never.structured_calendar.add()
    calendar.day_of_month.add(start=31)
    calendar.month.add(start=2)
    assert times(never, 1) == []


def test_excluded_times_and_bounds_are_left_out() -> None:
    hourly = spec()
    hourly.interval.add().interval.FromSeconds(3600)
    hourly.exclude_structured_calendar.add().hour.add(start=13, end=14)
    hourly.end_time.FromDatetime(datetime(2024, 5, 1, 16, 0))  # noqa: DTZ001 - protobuf's own convention
    assert times(hourly, 9) == ["2024-05-01 15:00:00", "2024-05-01 16:00:00"]


def test_jitter_is_within_its_bound_and_the_same_every_time() -> None:
    jittered = spec()
    jittered.interval.add().interval.FromSeconds(60)
    jittered.jitter.FromSeconds(10)
    first, again = next_after(jittered, NOON, "a"), next_after(jittered, NOON, "a")
    assert first is not None
    assert first == again
    assert timedelta(0) <= first[1] - first[0] <= timedelta(seconds=10)


@pytest.mark.parametrize("fields", [{"cron_string": ["no"]}, {"timezone_name": "Nowhere/Land"}])
def test_spec_that_cannot_be_read_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        check(spec(**fields))
