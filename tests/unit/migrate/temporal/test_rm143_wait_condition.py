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


FLAG = "lambda: n > 1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"t = asyncio.create_task(workflow.wait_condition({FLAG}))\nawait t",
            "t = yield ctx.begin_run(condition)\nyield t",
        ),
        (
            f"await asyncio.gather(workflow.wait_condition({FLAG}), workflow.sleep(1))",
            "yield ctx.gather(ctx.begin_run(condition), ctx.begin_sleep(1))",
        ),
    ],
)
def test_wait_that_is_begun_becomes_a_branch(body, before: str, after: str) -> None:
    head = "def condition(ctx: Context) -> Generator[Any, Any, None]:\n    yield ctx.wait_until(lambda: n > 1)\n\n"
    assert body(before) == head + after


def test_several_waits_that_are_begun_are_told_apart(body) -> None:
    wait = "asyncio.create_task(workflow.wait_condition(lambda: n > {}))"
    text = body(
        f"done, rest = await workflow.wait([{wait.format(1)}, {wait.format(2)}], return_when=asyncio.FIRST_COMPLETED)"
    )
    assert "def condition(ctx: Context)" in text
    assert "def condition_2(ctx: Context)" in text
    assert '(yield ctx.begin_run(condition_2).options(parent_close="cancel"))' in text
    assert "index, _ = yield ctx.select(*begun)" in text


def test_wait_that_is_begun_in_a_comprehension_keeps_the_program(held) -> None:
    source = "ts = [asyncio.create_task(workflow.wait_condition(lambda i=i: n > i)) for i in range(3)]\nawait ts[0]"
    assert "not awaited at once" in held(source)
