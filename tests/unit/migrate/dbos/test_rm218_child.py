from __future__ import annotations

import pytest

CASES = {
    "return child(n)": "return (yield ctx.rpc(child, n))",
    "DBOS.start_workflow(child, n)": "yield ctx.detached(child, n)",
    "h = DBOS.start_workflow(child, value=n)\nact()": ("h = yield ctx.detached(child, value=n)\nyield ctx.run(act)"),
    "h = DBOS.start_workflow(child, n)\nreturn h.get_result()": "h = yield ctx.begin_rpc(child, n)\nreturn (yield h)",
    "return DBOS.start_workflow(child, n).get_result()": "return (yield ctx.rpc(child, n))",
    "h = DBOS.start_workflow(child, n)\nreturn h.get_workflow_id()": ("h = yield ctx.detached(child, n)\nreturn h.id"),
    "with SetWorkflowID(key):\n    child(n)": "yield ctx.rpc(child, n).options(id=key)",
    "with SetWorkflowTimeout(5):\n    child(n)": "yield ctx.rpc(child, n).options(timeout=5)",
    "with SetWorkflowID(key):\n    with SetWorkflowTimeout(5):\n        child(n)": (
        "yield ctx.rpc(child, n).options(id=key, timeout=5)"
    ),
    "queue.enqueue(child, n)": "yield ctx.detached(child, n)",
    "h = queue.enqueue(child, n)\nreturn h.get_result()": "h = yield ctx.begin_rpc(child, n)\nreturn (yield h)",
    "hs = {}\nhs[n] = DBOS.start_workflow(child, n)\nfor x, h in hs.items():\n    print(h.get_result())": (
        "hs = {}\nhs[n] = yield ctx.begin_rpc(child, n)\nfor x, h in hs.items():\n    print((yield h))"
    ),
    "hs = [DBOS.start_workflow(child, x) for x in items]\nreturn sum([h.get_result() for h in hs])": (
        "hs = []\nfor x in items:\n    hs.append((yield ctx.begin_rpc(child, x)))\n"
        "results = []\nfor h in hs:\n    results.append((yield h))\nreturn sum(results)"
    ),
    "hs = []\nfor x in items:\n    hs.append(queue.enqueue(act, x))\nfor h in hs:\n    h.get_result()": (
        "hs = []\nfor x in items:\n    hs.append((yield ctx.begin_rpc(act, x)))\nfor h in hs:\n    yield h"
    ),
    "return flow(n - 1, items, key) if n else 0": "return (yield ctx.rpc(flow, n - 1, items, key)) if n else 0",
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_child_in_each_form_comes_out_as_written(body, before: str, after: str) -> None:
    assert body(before) == after


@pytest.mark.parametrize(
    "before",
    [
        "return DBOS.start_workflow(child, n)",
        "h = DBOS.start_workflow(child, n)\nprint([h, 1][0].get_status())",
        "h = DBOS.start_workflow(child, n)\nact(h)",
        "h = DBOS.start_workflow(child, n)\nf = lambda: h.get_result()\nreturn n",
        "h = DBOS.start_workflow(child, n)\nreturn h.get_status().status",
    ],
)
def test_handle_that_leaves_what_can_be_followed_keeps_the_workflow(held, before: str) -> None:
    assert "handle" in held(before)


def test_result_under_a_condition_is_told(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        @DBOS.workflow()
        def child(n): return n

        @DBOS.workflow()
        def flow(n):
            h = DBOS.start_workflow(child, n)
            if n:
                return h.get_result()
        """
    )
    assert "RM553" in result.codes
    assert "h = yield ctx.begin_rpc(child, n)" in result.text


def test_async_child_is_awaited_no_more(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        @DBOS.workflow()
        async def child(n):
            await DBOS.sleep_async(n)

        @DBOS.workflow()
        async def flow(n):
            await child(n)
            h = await DBOS.start_workflow_async(child, n)
            await h.get_result()
        """
    )
    assert "    yield ctx.rpc(child, n)\n    h = yield ctx.begin_rpc(child, n)\n    yield h\n" in result.text
