"""Schedules of DBOS on the shim, by the decorator of 2.x and by the names of 3.x."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from compat.dbos import DBOS
from compat.dbos.error import DBOSException
from compat.dbos.functions import scheduled
from compat.dbos.ticker import next_tick

SEEN: list[tuple[object, object]] = []
TICKED = threading.Event()
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def nothing_seen():
    SEEN.clear()
    TICKED.clear()


@DBOS.workflow()
def tick(when: dt.datetime, context: object) -> None:
    SEEN.append((when, context))
    TICKED.set()


def create(**changes):
    DBOS.create_schedule(
        schedule_name="s", workflow_fn=tick, **{"schedule": "0 3 * * *", "context": {"a": 1}, **changes}
    )


def test_ticks_of_every_second_run_once_with_time_and_context(dbos):
    create(schedule="* * * * * *")
    assert TICKED.wait(5)
    DBOS.delete_schedule("s")
    when, context = SEEN[0]
    assert (when.tzinfo is not None, when.microsecond, context) == (True, 0, {"a": 1})
    assert len({found for found, _ in SEEN}) == len(SEEN)


def test_decorated_workflow_gets_the_two_times(dbos):
    DBOS.scheduled("* * * * * *")(tick)
    try:
        DBOS.destroy()
        DBOS(config={"name": "test"})
        DBOS.launch()
        assert TICKED.wait(5)
        DBOS.delete_schedule("tick")
    finally:
        scheduled.clear()
    when, actual = SEEN[0]
    assert dt.timedelta(0) <= actual - when < dt.timedelta(seconds=5)


def test_schedule_is_listed_paused_resumed_changed_and_deleted(dbos):
    create(cron_timezone="Europe/Berlin")
    with pytest.raises(DBOSException, match="exists"):
        create()
    DBOS.pause_schedule("s")
    assert [(one["schedule_name"], one["status"]) for one in DBOS.list_schedules()] == [("s", "PAUSED")]
    assert DBOS.list_schedules(status="ACTIVE") == []
    DBOS.resume_schedule("s")
    DBOS.apply_schedules([{"schedule_name": "s", "workflow_fn": tick, "schedule": "0 4 * * *"}])
    found = DBOS.get_schedule("s")
    assert (found["schedule"], found["status"], found["cron_timezone"]) == ("0 4 * * *", "ACTIVE", None)
    for _ in range(120):
        assert DBOS.get_schedule("s")["schedule"] == "0 4 * * *"
    DBOS.delete_schedule("s")
    assert DBOS.get_schedule("s") is None
    create()
    assert DBOS.get_schedule("s")["context"] == {"a": 1}


def test_trigger_runs_now_and_backfill_runs_what_was_missed_once(dbos):
    create()
    DBOS.trigger_schedule("s").get_result()
    assert len(SEEN) == 1
    for _ in range(2):
        for handle in DBOS.backfill_schedule("s", START, START + dt.timedelta(days=3)):
            handle.get_result()
    assert [when.day for when, _ in SEEN[1:]] == [1, 2, 3]


def test_schedule_that_cannot_be_read_is_refused(dbos):
    with pytest.raises(DBOSException, match="cannot be read"):
        create(schedule="nonsense")
    with pytest.raises(DBOSException, match="no schedule"):
        DBOS.pause_schedule("nobody")


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 2 * * *", "2025-01-01T02:30:00"),
        ("15 30 2 * * *", "2025-01-01T02:30:15"),
        ("0 0 0 1 1 * 2027", "2027-01-01T00:00:00"),
        ("0 0 * * 0", "2025-01-05T00:00:00"),
        ("0 0 * * 7", "2025-01-05T00:00:00"),
        ("0 0 * * MON#2", "2025-01-13T00:00:00"),
        ("0 0 L * *", "2025-01-31T00:00:00"),
        ("@daily", "2025-01-02T00:00:00"),
    ],
)
def test_cron_of_dbos_is_read_as_dbos_reads_it(cron, expected):
    assert next_tick({"cron": cron, "zone": None}, START).isoformat() == f"{expected}+00:00"
