from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("lambda: n > 1", "yield ctx.wait_until(lambda: n > 1)"),
        ("lambda: n > 1, timeout=None", "yield ctx.wait_until(lambda: n > 1)"),
        ("lambda: n > 1, timeout=timedelta(days=1)", "yield ctx.wait_until(lambda: n > 1, timeout=86_400)"),
        ("lambda: n > 1, timeout=5.5", "yield ctx.wait_until(lambda: n > 1, timeout=5.5)"),
        ("fn=lambda: n > 1, timeout=LIMIT", "yield ctx.wait_until(lambda: n > 1, timeout=LIMIT)"),
    ],
)
def test_wait_becomes_wait_until(body, before: str, after: str) -> None:
    assert body(f"await workflow.wait_condition({before})") == after


def test_wait_that_is_not_awaited_keeps_the_program(held) -> None:
    assert "not awaited at once" in held("x = workflow.wait_condition(lambda: True)\nawait x")
