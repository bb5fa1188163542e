from __future__ import annotations

import pytest

LOOPS = """\
promises = []
for x in items:
    promises.append((yield ctx.begin_run(act_async, x)))
"""
CASES = {
    "return await asyncio.gather(*[act_async(x) for x in items])": (
        LOOPS + "results = []\nfor promise in promises:\n    results.append((yield promise))\nreturn results"
    ),
    "r = await asyncio.gather(*(act_async(x) for x in items))": (
        LOOPS + "r = []\nfor promise in promises:\n    r.append((yield promise))"
    ),
    "await asyncio.gather(*[act_async(x) for x in items])": LOOPS + "for promise in promises:\n    yield promise",
    "a, b = await asyncio.gather(act_async(n), act_async(2))": (
        "a, b = yield ctx.gather(ctx.begin_run(act_async, n), ctx.begin_run(act_async, 2))"
    ),
    "return await asyncio.gather(*[act_async(x) for x in items], return_exceptions=True)": (
        "return (yield ctx.gather(*[ctx.begin_run(act_async, x) for x in items], return_exceptions=True))"
    ),
    "return sum(await asyncio.gather(act_async(n), flow(n, items, key)))": (
        "return sum((yield ctx.gather(ctx.begin_run(act_async, n), ctx.begin_rpc(flow, n, items, key))))"
    ),
    "x = n\nr = await asyncio.gather(*[act_async(x) for x in items])\nreturn x": (
        "x = n\nr = yield ctx.gather(*[ctx.begin_run(act_async, x) for x in items])\nreturn x"
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_gather_of_durable_calls_begins_them(body, before: str, after: str) -> None:
    joined = " ".join(body(before, is_async=True).split()).replace("( ", "(").replace(", )", ")").replace(" )", ")")
    assert joined == " ".join(after.split())


@pytest.mark.parametrize(
    "before",
    [
        "return await asyncio.gather(act_async(n), asyncio.sleep(1))",
        "await act_async(n)\nreturn await asyncio.gather(*items)",
        "pending = asyncio.gather(act_async(n))\nawait act_async(1)\nreturn await pending",
        "await act_async(n)\nreturn await asyncio.gather(asyncio.to_thread(act, n))",
    ],
)
def test_gather_of_anything_else_keeps_the_workflow(held, before: str) -> None:
    assert held(before, is_async=True)
