from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("workflow.continue_as_new(n)", "yield ctx.continue_as_new(n)"),
        ("workflow.continue_as_new(args=[n, 1])", "yield ctx.continue_as_new(n, 1)"),
        ("workflow.continue_as_new()", "yield ctx.continue_as_new()"),
        ("raise workflow.continue_as_new(n)", "raise (yield ctx.continue_as_new(n))"),
    ],
)
def test_continue_as_new_is_yielded(body, before: str, after: str) -> None:
    assert body(f"await workflow.sleep(1)\n{before}") == f"yield ctx.sleep(1)\n{after}"


def test_continue_as_another_workflow_keeps_the_program(held) -> None:
    assert "workflow=...) has no counterpart" in held("workflow.continue_as_new(n, workflow='Other')")


def test_continue_as_new_in_a_plain_helper_keeps_the_program(held) -> None:
    more = "def again(n):\n    workflow.continue_as_new(n)"
    assert "cannot yield" in held("await workflow.sleep(1)\nagain(n)", more=more)
