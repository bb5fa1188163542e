from __future__ import annotations

import pytest

ACT = "workflow.execute_activity(act, {}, start_to_close_timeout=timedelta(seconds=10))"


def call(argument: str) -> str:
    return "await " + ACT.format(argument)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"x = [{call('i')} for i in range(n)]",
            "x = []\nfor i in range(n):\n    x.append((yield ctx.run(act, i)))",
        ),
        (
            f"x: list[int] = [{call('i')} for i in range(n) if i]",
            "x: list[int] = []\nfor i in range(n):\n    if i:\n        x.append((yield ctx.run(act, i)))",
        ),
        (
            f"return [{call('i')} for i in range(n)]",
            "results = []\nfor i in range(n):\n    results.append((yield ctx.run(act, i)))\nreturn results",
        ),
        (
            f"return sum([{call('i')} for i in range(n)])",
            "results = []\nfor i in range(n):\n    results.append((yield ctx.run(act, i)))\nreturn sum(results)",
        ),
        (
            f"[{call('i')} for i in range(n)]",
            "for i in range(n):\n    yield ctx.run(act, i)",
        ),
    ],
)
def test_comprehension_with_await_becomes_a_loop(body, before: str, after: str) -> None:
    assert body(before) == after


@pytest.mark.parametrize(
    "source",
    [
        f"return {{i: {call('i')} for i in range(n)}}",
        f"return [[{call('j')} for j in range(i)] for i in range(n)]",
        f"return n and [{call('i')} for i in range(n)]",
        f"i = 5\nx = [{call('i')} for i in range(n)]\nreturn i",
        f"while [{call('i')} for i in range(n)]:\n    pass",
    ],
)
def test_comprehension_that_would_change_meaning_keeps_the_program(held, source: str) -> None:
    assert "comprehension" in held(source)


def test_foreign_await_keeps_the_program(held) -> None:
    assert "which is no durable call" in held("import httpx\nreturn await httpx.AsyncClient().get('x')")


@pytest.mark.parametrize("statement", ["async with n:\n    pass", "async for x in n:\n    pass"])
def test_foreign_async_statement_keeps_the_program(held, statement: str) -> None:
    assert "which is no durable call" in held(statement)


def test_helper_without_durable_call_becomes_a_plain_function(workflow) -> None:
    done = workflow("return await double(n)", more="async def double(n: int) -> int:\n    return n * 2")
    assert "    return double(n)\n" in done.text
    assert "\ndef double(n: int) -> int:\n    return n * 2\n" in done.text


def test_helper_used_outside_workflows_keeps_the_program(held) -> None:
    more = f"async def helper(n):\n    return {call('n')}\n\n\nasync def other():\n    return await helper(1)"
    assert "is called from flow.other too" in held("return await helper(n)", more=more)


def test_helpers_of_helpers_become_generators(workflow) -> None:
    more = f"async def one(n):\n    return await two(n)\n\n\nasync def two(n):\n    return {call('n')}"
    done = workflow("return await one(n) + await two(n)", more=more)
    assert "return (yield from one(ctx, n)) + (yield from two(ctx, n))" in done.text
    assert "def one(ctx: Context, n):\n    return (yield from two(ctx, n))" in done.text


def test_comprehension_of_started_activities_begins_each_at_once(body) -> None:
    start = "workflow.start_activity(act, i, start_to_close_timeout=timedelta(seconds=10))"
    text = body(f"hs = [{start} for i in range(n)]\nreturn [await h for h in hs]")
    assert "    hs.append((yield ctx.begin_run(act, i)))" in text
    assert "    results.append((yield h))" in text
