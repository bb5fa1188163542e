from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("activity.heartbeat()", "heartbeat()", "heartbeat"),
        ("activity.heartbeat(1, 2)", "heartbeat(1, 2)", "heartbeat"),
        ("activity.logger.info('x')", "step_logger.info('x')", "step_logger"),
        ("print(activity.info().attempt)", "print(step_info().attempt)", "step_info"),
        ("print(activity.info().workflow_id)", "print(step_info().root_id)", "step_info"),
        ("print(activity.info().activity_type)", "print(step_info().name)", "step_info"),
        ("print(activity.info().heartbeat_timeout)", "print(step_info().heartbeat_timeout)", "step_info"),
        ("print(activity.info().start_to_close_timeout)", "print(step_info().attempt_timeout)", "step_info"),
        (
            "print(activity.info().current_attempt_scheduled_time.strftime('%Y'))",
            "print(step_info().started_at.strftime('%Y'))",
            "step_info",
        ),
        ("print(activity.is_cancelled())", "print(step_info().is_cancelled)", "step_info"),
        ("print(activity.in_activity())", "print(in_step())", "in_step"),
        ("list(map(activity.heartbeat, [1]))", "list(map(heartbeat, [1]))", "heartbeat"),
    ],
)
def test_what_a_step_asks_and_says_is_imported(migrate, before: str, after: str, name: str) -> None:
    done = migrate(f"from temporalio import activity\n\n\ndef helper() -> None:\n    {before}\n")
    assert done.text == f"from resonate_core import {name}\n\n\ndef helper() -> None:\n    {after}\n"


@pytest.mark.parametrize(
    "use",
    ["activity.raise_complete_async()", "print(activity.info().task_token)", "print(activity.info())",
     "activity.is_worker_shutdown()"],
)  # fmt: skip
def test_what_has_no_counterpart_keeps_the_program(migrate, use: str) -> None:
    done = migrate(f"from temporalio import activity\n\n\ndef helper() -> None:\n    {use}\n")
    assert not done.texts
    assert "has no counterpart" in done.reasons[0]


def test_info_that_is_handed_to_who_wants_it_is_that_of_the_step(migrate) -> None:
    done = migrate("""
        from temporalio import activity


        def is_last(info: activity.Info) -> bool:
            return info.attempt >= 3 and not info.started_time.hour


        def helper() -> bool:
            return is_last(activity.info())
        """)
    assert "def is_last(info: StepInfo) -> bool:\n" in done.text
    assert "    return info.attempt >= 3 and not info.started_at.hour\n" in done.text
    assert "return is_last(step_info())" in done.text


def test_shield_of_a_thread_goes(migrate) -> None:
    done = migrate("""
        from temporalio import activity


        def helper() -> None:
            with activity.shield_thread_cancel_exception():
                print("safe")
            activity.heartbeat()
        """)
    assert 'def helper() -> None:\n    print("safe")\n    heartbeat()' in done.text
    assert done.codes == ["RM503"]
