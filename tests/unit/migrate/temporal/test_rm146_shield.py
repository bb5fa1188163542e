from __future__ import annotations

import pytest

ACT = "workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"await asyncio.shield({ACT})", "with ctx.shielded():\n    yield ctx.run(act, n)"),
        (f"x = await asyncio.shield({ACT})", "with ctx.shielded():\n    x = yield ctx.run(act, n)"),
        (f"return await asyncio.shield({ACT})", "with ctx.shielded():\n    return (yield ctx.run(act, n))"),
    ],
)
def test_shielded_work_stands_in_a_block(body, before: str, after: str) -> None:
    assert body(before) == after


def test_shielded_helper_is_delegated_to(workflow) -> None:
    done = workflow("await asyncio.shield(helper(n))", more=f"async def helper(n):\n    return await {ACT}")
    assert "    with ctx.shielded():\n        yield from helper(ctx, n)\n" in done.text
    assert done.codes == ["RM146"]


@pytest.mark.parametrize("source", [f"x = 1 + await asyncio.shield({ACT})", f"x = asyncio.shield({ACT})\nawait x"])
def test_shield_inside_an_expression_keeps_the_program(held, source: str) -> None:
    assert "in a statement of its own" in held(source)


def test_task_that_is_shielded_is_waited_for_in_the_block(body) -> None:
    act = "workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))"
    text = body(f"t = asyncio.create_task({act})\nx = await asyncio.shield(t)")
    assert text == "t = yield ctx.begin_run(act, n)\nwith ctx.shielded():\n    x = yield t"


@pytest.mark.parametrize("caught", ["asyncio.CancelledError", "(ValueError, asyncio.CancelledError)", "BaseException"])
def test_shield_whose_cancellation_is_caught_keeps_the_program(held, caught: str) -> None:
    source = f"try:\n    await asyncio.shield({ACT})\nexcept {caught}:\n    raise"
    assert "is told of a cancellation while the work goes on" in held(source)


def test_shield_in_a_handler_of_the_cancellation_is_a_block(body) -> None:
    text = body(f"try:\n    await {ACT}\nexcept asyncio.CancelledError:\n    await asyncio.shield({ACT})")
    assert text.endswith("    with ctx.shielded():\n        yield ctx.run(act, n)")
