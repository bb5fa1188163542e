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
        ("list(map(activity.heartbeat, [1]))", "list(map(heartbeat, [1]))", "heartbeat"),
    ],
)
def test_what_a_step_asks_and_says_is_imported(migrate, before: str, after: str, name: str) -> None:
    done = migrate(f"from temporalio import activity\n\n\ndef helper() -> None:\n    {before}\n")
    assert done.text == f"from resonate_core import {name}\n\n\ndef helper() -> None:\n    {after}\n"


@pytest.mark.parametrize(
    "use",
    ["activity.raise_complete_async()", "print(activity.info().task_token)", "print(activity.info())",
     "activity.in_activity()"],
)  # fmt: skip
def test_what_has_no_counterpart_keeps_the_program(migrate, use: str) -> None:
    done = migrate(f"from temporalio import activity\n\n\ndef helper() -> None:\n    {use}\n")
    assert not done.texts
    assert "has no counterpart" in done.reasons[0]
