from __future__ import annotations

import pytest

ACT = "workflow.execute_activity(act, {}, start_to_close_timeout=timedelta(seconds=10))"
FAN = f"asyncio.gather(*[{ACT.format('i')} for i in range(n)]{{}})"


def test_fan_out_becomes_two_loops(body) -> None:
    assert body(f"x = await {FAN.format('')}\nreturn len(x)") == (
        "promises = []\nfor i in range(n):\n    promises.append((yield ctx.begin_run(act, i)))\n"
        "x = []\nfor p in promises:\n    x.append((yield p))\nreturn len(x)"
    )


def test_fan_out_whose_results_nobody_wants_yields_each_promise(body) -> None:
    assert body(f"await {FAN.format('')}").endswith("for p in promises:\n    yield p")


def test_names_that_are_taken_are_avoided(body) -> None:
    text = body(f"promises = p = n\nx = await {FAN.format('')}\nreturn promises + p")
    assert "pending = []" in text
    assert "for promise in pending:" in text


@pytest.mark.parametrize(
    "source",
    [
        f"try:\n    x = await {FAN.format('')}\nexcept Exception:\n    pass",
        f"x = await {FAN.format(', return_exceptions=True')}",
        f"x = sum(await {FAN.format('')})",
        f"i = 1\nx = await {FAN.format('')}\nreturn i",
    ],
)
def test_fan_out_that_loops_would_change_uses_gather(body, source: str) -> None:
    text = body(source)
    assert "yieldctx.gather(*[ctx.begin_run(act,i)foriinrange(n)]" in "".join(text.split())


def test_fixed_set_of_names_becomes_begins_and_yields(body) -> None:
    text = body(f"a, b = await asyncio.gather({ACT.format(1)}, {ACT.format(2)})\nreturn a + b")
    assert text == (
        "a_promise = yield ctx.begin_run(act, 1)\nb_promise = yield ctx.begin_run(act, 2)\n"
        "a = yield a_promise\nb = yield b_promise\nreturn a + b"
    )


def test_fan_out_of_helpers_begins_branches(workflow) -> None:
    more = f"async def one(n):\n    return await {ACT.format('n')}"
    done = workflow("return await asyncio.gather(*[one(i) for i in range(n)], one(n))", more=more)
    assert "ctx.gather(*[ctx.begin_run(one, i) for i in range(n)], ctx.begin_run(one, n))" in done.text
    assert "def one(ctx: Context, n):" in done.text


def test_list_that_was_put_together_before_is_gathered(body) -> None:
    text = body(f"xs = [{ACT.format('i')} for i in range(n)]\nreturn await asyncio.gather(*xs)")
    assert text == "xs = [ctx.run(act, i) for i in range(n)]\nreturn (yield ctx.gather(*xs))"


def test_gather_that_is_not_awaited_keeps_the_program(held) -> None:
    assert "not awaited at once" in held(f"x = {FAN.format('')}\nreturn await x")


def test_gather_of_foreign_coroutines_keeps_the_program(held) -> None:
    assert held("import httpx\nreturn await asyncio.gather(httpx.get('a'), n.b())")


def test_children_that_are_only_started_become_a_list_of_promises(workflow) -> None:
    done = workflow(
        "hs = await asyncio.gather(*[workflow.start_child_workflow('Other', i) for i in range(n)])\nreturn len(hs)"
    )
    assert (
        'hs.append((yield ctx.begin_rpc("Other", i)' in done.text
        or "hs.append((yield ctx.begin_rpc('Other', i)" in done.text
    )
