"""Schedules that are executions: zones, seconds, missed ticks, overlaps, pause, trigger."""

from __future__ import annotations

import datetime as dt

import pytest

from resonate_core import CanceledError, Cron, NotFoundError, UsageError, durable, step
from resonate_core.testing import VirtualResonate

RUNS: list[str] = []


@step()
def note(what):
    RUNS.append(what)


@durable()
def job(ctx, seconds):
    yield ctx.run(note, ctx.now().isoformat())
    yield ctx.sleep(seconds)


@pytest.fixture
def client():
    RUNS.clear()
    client = VirtualResonate()
    client.register(job)
    return client


def times():
    return [dt.datetime.fromisoformat(text).strftime("%H:%M:%S") for text in RUNS]


def test_cron_with_seconds_runs_at_each_tick_once(client):
    client.schedule("often", Cron("*/20 * * * * *"), job, 0)
    client.schedule("often", Cron("*/20 * * * * *"), job, 0)
    client.advance(61)
    assert len(RUNS) == 3
    assert {text[-2:] for text in times()} <= {"00", "20", "40"}


def test_cron_in_a_zone_follows_its_clock_over_a_change(client):
    cron = Cron("30 8 * * *", time_zone="Europe/Berlin")
    before = cron.next_after(dt.datetime(2024, 3, 29, 12, tzinfo=dt.UTC))
    after = cron.next_after(before)
    assert (before.isoformat(), after.isoformat()) == ("2024-03-30T07:30:00+00:00", "2024-03-31T06:30:00+00:00")


def test_missed_ticks_run_later_unless_catch_up_says_otherwise():
    for catch_up, expected in ((None, 4), (90, 2)):
        RUNS.clear()
        stage_client = VirtualResonate()
        stage_client.register(job)
        stage_client.schedule("m", Cron("* * * * *", catch_up=catch_up), job, 0)
        stage_client.advance(1)
        stage_client.stop()
        later = VirtualResonate(stage_client.stage)
        stage_client.stage.clock.advance(3 * 60_000 + 30_000)
        later.register(job)
        later.start()
        later.advance(40)
        assert len(RUNS) == expected, catch_up


@pytest.mark.parametrize(("overlap", "expected"), [("allow", 5), ("skip", 3), ("cancel_running", 5), ("buffer_one", 3)])
def test_overlap_policy_decides_what_a_tick_does(client, overlap, expected):
    client.schedule("o", Cron("* * * * *", overlap=overlap), job, 90)
    client.advance(5 * 60)
    assert len(RUNS) == expected


def test_cancel_running_cancels_the_run_before(client):
    client.schedule("o", Cron("* * * * *", overlap="cancel_running"), job, 90)
    client.advance(130)
    first = min(one.id for one in client.list() if one.function == "job")
    with pytest.raises(CanceledError, match="next run of schedule o"):
        client.get(first).result()


def test_pause_resume_and_trigger_by_signal(client):
    client.schedule("p", Cron("* * * * *"), job, 0)
    client.signal("schedule/p", "pause")
    client.advance(180)
    assert RUNS == []
    client.signal("schedule/p", "trigger")
    client.settle()
    assert len(RUNS) == 1
    client.signal("schedule/p", "resume")
    client.advance(60)
    assert len(RUNS) == 2
    assert client.query("schedule/p", "info")["function"] == "job"


def test_schedule_lives_through_hundreds_of_ticks(client):
    client.schedule("long", Cron("* * * * *"), job, 0)
    client.advance(250 * 60)
    assert len(RUNS) == 250


def test_delete_ends_it_and_a_second_delete_says_there_is_none(client):
    client.schedule("d", Cron("* * * * *"), job, 0)
    client.schedules.delete("d")
    client.advance(180)
    assert RUNS == []
    with pytest.raises(NotFoundError):
        client.schedules.delete("nothing")


def test_the_same_name_with_another_rule_is_refused(client):
    client.schedule("x", Cron("* * * * *"), job, 0)
    with pytest.raises(UsageError, match="schedule 'x' exists and says something else"):
        client.schedule("x", Cron("0 * * * *"), job, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("* * *",), "3 fields"),
        (("0 0 * * 1",), "name the day of the week"),
        (("99 * * * *",), "cannot be read"),
        (("* * * * *", "Mars/Olympus"), "time zone 'Mars/Olympus'"),
        (("* * * * *", "UTC", "sometimes"), "overlap must be one of"),
    ],
)
def test_cron_that_cannot_be_is_refused_by_name(arguments, message):
    with pytest.raises(UsageError, match=message):
        Cron(*arguments)
