from __future__ import annotations

import pytest

HEAD = """from temporalio.client import WorkflowExecutionStatus, WorkflowHandle


async def main(h: WorkflowHandle):
    d = await h.describe()
    {use}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return d.status", "return d.state"),
        ("return d.workflow_type", "return d.function"),
        ("return (await h.describe()).status", "return (await h.aio.describe()).state"),
        ("return d.status == WorkflowExecutionStatus.RUNNING", 'return d.state == "pending"'),
        ("return d.status != WorkflowExecutionStatus.COMPLETED", 'return d.state != "resolved"'),
        ("return d.status == WorkflowExecutionStatus.TERMINATED", 'return d.state == "rejected_canceled"'),
    ],
)
def test_status_becomes_the_state_of_the_promise(migrate, before: str, after: str) -> None:
    done = migrate(HEAD.format(use=before))
    assert f"    {after}\n" in done.text
    assert set(done.codes) == {"RM174"}


@pytest.mark.parametrize(
    "use", ["print(d.start_time)", "print(d.status.name)", "print(WorkflowExecutionStatus.CONTINUED_AS_NEW)"]
)
def test_what_has_no_counterpart_keeps_the_program(migrate, use: str) -> None:
    assert not migrate(HEAD.format(use=use)).texts
