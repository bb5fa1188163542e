from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("workflow.sleep(timedelta(days=30))", "ctx.sleep(2_592_000)"),
        ("workflow.sleep(timedelta(1))", "ctx.sleep(86_400)"),
        ("workflow.sleep(timedelta(hours=1, seconds=1))", "ctx.sleep(3601)"),
        ("workflow.sleep(timedelta(milliseconds=1500))", "ctx.sleep(1.5)"),
        ("workflow.sleep(timedelta(minutes=2 * 3))", "ctx.sleep(360)"),
        ("workflow.sleep(timedelta(seconds=n))", "ctx.sleep(n)"),
        ("workflow.sleep(timedelta(minutes=n))", "ctx.sleep(timedelta(minutes=n))"),
        ("workflow.sleep(duration=n)", "ctx.sleep(n)"),
        ("workflow.sleep(LIMIT)", "ctx.sleep(LIMIT)"),
        ("workflow.sleep(LIMIT * 2)", "ctx.sleep(LIMIT * 2)"),
        ("asyncio.sleep(0.5)", "ctx.sleep(0.5)"),
        ("asyncio.sleep(delay=n)", "ctx.sleep(n)"),
    ],
)
def test_sleep_becomes_seconds(body, before: str, after: str) -> None:
    assert body(f"await {before}") == f"yield {after}"


def test_sleep_in_a_step_stays_as_it_is(migrate) -> None:
    done = migrate("""
        import asyncio
        from temporalio import activity


        @activity.defn
        async def act() -> None:
            await asyncio.sleep(1)
        """)
    assert "    await asyncio.sleep(1)\n" in done.text


def test_sleep_with_a_result_keeps_the_program(held) -> None:
    assert "gives a result" in held("return await asyncio.sleep(1, result=n)")
