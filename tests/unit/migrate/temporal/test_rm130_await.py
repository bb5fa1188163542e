from __future__ import annotations

import pytest

from tests.unit.migrate.temporal.conftest import body_of

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
            f"return {{i: {call('i')} for i in range(n)}}",
            "results = {}\nfor i in range(n):\n    results[i] = yield ctx.run(act, i)\nreturn results",
        ),
        (
            f"x = {{{call('i')} for i in range(n)}}",
            "x = set()\nfor i in range(n):\n    x.add((yield ctx.run(act, i)))",
        ),
        (
            f"x = [{call('i')} for i in range(n)] or None",
            "results = []\nfor i in range(n):\n    results.append((yield ctx.run(act, i)))\nx = results or None",
        ),
        (
            f"x = [n]\nx = [{call('i')} for i in x]",
            "x = [n]\nresults = []\nfor i in x:\n    results.append((yield ctx.run(act, i)))\nx = results",
        ),
        (
            f"x = [{call('j')} for i in range(n) if i for j in n]",
            "x = []\nfor i in range(n):\n    if i:\n        for j in n:\n            x.append((yield ctx.run(act, j)))",
        ),
        (
            f"for x in [{call('i')} for i in [n]]:\n    pass",
            "results = []\nfor i in [n]:\n    results.append((yield ctx.run(act, i)))\nfor x in results:\n    pass",
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
        f"return [[{call('j')} for j in range(i)] for i in range(n)]",
        f"return n and [{call('i')} for i in range(n)]",
        f"return [{call('i')} for i in range(n)] if n else []",
        f"if n: x = [{call('i')} for i in range(n)] or None",
        f"return [{call('i')} for i in range(n)], {call('n')}",
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


def test_comprehension_over_helpers_becomes_a_loop_of_delegations(workflow) -> None:
    more = f"async def one(n):\n    return {call('n')}"
    done = workflow("return [await one(i) for i in range(n)]", more=more)
    assert "        results.append((yield from one(ctx, i)))" in done.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("c = one(n)\nreturn await c", "c = ctx.run(one, n)\nreturn (yield c)"),
        (
            "cs = [one(i) for i in range(n)]\nreturn await asyncio.gather(*cs)",
            "cs = [ctx.run(one, i) for i in range(n)]\nreturn (yield ctx.gather(*cs))",
        ),
        (
            "cs = []\nfor i in range(n):\n    cs.append(one(i))\nawait asyncio.gather(*cs)",
            "cs = []\nfor i in range(n):\n    cs.append(ctx.run(one, i))\nyield ctx.gather(*cs)",
        ),
        (
            "cs = dict(a=one(1), b=one(2))\nreturn await cs['a']",
            "cs = dict(a=ctx.run(one, 1), b=ctx.run(one, 2))\nreturn (yield cs['a'])",
        ),
        (
            "cs = {i: one(i) for i in range(n)}\nawait asyncio.gather(*cs.values())",
            "cs = {i: ctx.run(one, i) for i in range(n)}\nyield ctx.gather(*cs.values())",
        ),
    ],
)
def test_coroutine_of_the_project_that_is_kept_becomes_a_command(workflow, before: str, after: str) -> None:
    done = workflow(before, more=f"async def one(n):\n    return {call('n')}")
    assert body_of(done.text) == after


def test_plain_function_that_gives_a_coroutine_gives_a_command(workflow) -> None:
    done = workflow("return await one(n)", more=f"def one(n):\n    return {ACT.format('n')}")
    assert body_of(done.text) == "return (yield one(ctx, n))"
    assert "def one(ctx: Context, n):\n    return ctx.run(act, n)" in done.text


def test_coroutine_that_nobody_awaits_keeps_the_program(held) -> None:
    more = f"async def one(n):\n    return {call('n')}"
    assert "is kept instead of awaited" in held("one(n)\nreturn await one(n)", more=more)


def test_kept_coroutine_without_durable_call_keeps_the_program(held) -> None:
    assert "is kept instead of awaited" in held("c = one(n)\nreturn await c", more="async def one(n):\n    return n")


def test_gather_of_helpers_without_durable_calls_keeps_the_program(held) -> None:
    more = "async def one(n):\n    return n"
    assert "one makes no durable call" in held("return await asyncio.gather(one(n), one(2))", more=more)
