from __future__ import annotations

import pytest

TEN = "start_to_close_timeout=timedelta(seconds=10)"
ACT = f"workflow.execute_activity(act, n, {TEN})"
HELPER = f"async def one(n):\n    return await {ACT}"
CHILD = """
@workflow.defn
class Child:
    @workflow.run
    async def run(self, n: int) -> int:
        await workflow.sleep(n)
        return n
"""
RACE = """{begin}index, _ = yield ctx.select({job}, (yield ctx.begin_sleep({limit})))
if index == 1:
    yield ctx.cancel({job})"""


def race(job: str, begin: str = "", limit: str = "5", *, raises: bool = True) -> str:
    text = RACE.format(job=job, begin=begin + "\n" if begin else "", limit=limit)
    return text + ("\n    raise TimeoutError\n" if raises else "\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"return await asyncio.wait_for({ACT}, 5)", "return (yield ctx.run(act, n).options(timeout=5))"),
        (f"x = await asyncio.wait_for({ACT}, timeout=LIMIT)", "x = yield ctx.run(act, n).options(timeout=LIMIT)"),
        (f"async with asyncio.timeout(5):\n    x = await {ACT}", "x = yield ctx.run(act, n).options(timeout=5)"),
        (
            "await asyncio.wait_for(workflow.wait_condition(lambda: n > 1), timedelta(minutes=1).total_seconds())",
            "yield ctx.wait_until(lambda: n > 1, timeout=timedelta(minutes=1).total_seconds())",
        ),
        (
            "async with asyncio.timeout(5):\n    await workflow.wait_condition(lambda: n > 1)",
            "yield ctx.wait_until(lambda: n > 1, timeout=5)",
        ),
        (
            f"h = workflow.start_activity(act, n, {TEN})\nreturn await asyncio.wait_for(h, 5)",
            f"h = yield ctx.begin_run(act, n)\n{race('h')}return (yield h)",
        ),
        (
            f"c = {ACT}\nx = await asyncio.wait_for(c, 5)",
            f"c = ctx.begin_run(act, n)\nc = yield c\n{race('c')}x = yield c",
        ),
        (
            f"x = await asyncio.wait_for(workflow.execute_activity(act, n, {TEN}, schedule_to_close_timeout=LIMIT), 5)",
            race("job", "job = yield ctx.begin_run(act, n).options(timeout=LIMIT)") + "x = yield job",
        ),
    ],
)
def test_limit_becomes_that_of_the_call_or_a_race(body, before: str, after: str) -> None:
    assert body(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return await asyncio.wait_for(one(n), 5)", "return (yield job)"),
        ("x = [await asyncio.wait_for(one(n), 5)]", "x = [(yield job)]"),
        ("async with asyncio.timeout(5):\n    print(await one(n))", "print((yield job))"),
    ],
)
def test_limit_around_a_helper_becomes_a_race(workflow, before: str, after: str) -> None:
    done = workflow(before, more=HELPER)
    text = "\n".join(line.strip() for line in done.text.split("\n"))
    expected = race("job", "job = yield ctx.begin_run(one, n)") + after
    assert "\n".join(line.strip() for line in expected.split("\n")) in text
    assert done.codes == ["RM135"]


def test_limit_around_a_child_ends_in_the_child_s_error(workflow) -> None:
    done = workflow("return await asyncio.wait_for(workflow.execute_child_workflow(Child.run, n), 5)", more=CHILD)
    assert "raise TimeoutError" not in done.text
    assert "job = yield ctx.begin_rpc(child, n)" in done.text
    assert done.codes == []


@pytest.mark.parametrize(
    "source",
    [
        f"return await asyncio.wait_for({ACT}, None)",
        f"task = asyncio.wait_for({ACT}, 5)\nreturn await task",
        f"return await asyncio.wait_for(asyncio.gather({ACT}), 5)",
        f"async with asyncio.timeout(5):\n    await {ACT}\n    await {ACT}",
        f"async with asyncio.timeout(5) as limit:\n    await {ACT}",
        f"async with asyncio.timeout(None):\n    await {ACT}",
        f"async with asyncio.timeout_at(5):\n    await {ACT}",
        f"return n and await asyncio.wait_for(workflow.start_activity(act, n, {TEN}), 5)",
        "return await asyncio.wait_for(n, 5)",
        "return await asyncio.wait_for(workflow.wait_condition(lambda: n > 1, timeout=3), 5)",
    ],
)
def test_limit_that_is_not_plain_keeps_the_program(held, source: str) -> None:
    reasons = held(source)
    assert "RM135" in reasons or "limit" in reasons or "asyncio" in reasons
