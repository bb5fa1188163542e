"""Schedules while nobody serves their queue."""

from __future__ import annotations

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleRange,
    ScheduleSpec,
)

from compat.temporal.testing import WorkflowEnvironment


async def test_schedule_that_no_worker_has_taken_up_shows_when_it_is_due() -> None:
    february = ScheduleSpec(calendars=[ScheduleCalendarSpec(year=[ScheduleRange(2050)], month=[ScheduleRange(2)])])
    action = ScheduleActionStartWorkflow("Job", id="job", task_queue="unserved")
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await env.client.create_schedule("yearly", Schedule(action=action, spec=february))
        times = (await handle.describe()).info.next_action_times
        listed = [entry async for entry in await env.client.list_schedules()]
    assert [str(time) for time in times[:2]] == ["2050-02-01 00:00:00+00:00", "2050-02-02 00:00:00+00:00"]
    assert len(times) == 10
    assert listed[0].info is not None
    assert listed[0].info.next_action_times == times
