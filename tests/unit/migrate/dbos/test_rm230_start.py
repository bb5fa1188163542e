from __future__ import annotations

import pytest

FRESH = "str(uuid.uuid4())"
CASES = {
    "return child(n)": f"return resonate.run({FRESH}, child, n)",
    "h = DBOS.start_workflow(child, n)\nreturn h.get_result()": (
        f"h = resonate.begin_run({FRESH}, child, n)\nreturn h.result()"
    ),
    "h = queue.enqueue(child, n)\nreturn h.workflow_id": f"h = resonate.begin_rpc({FRESH}, child, n)\nreturn h.id",
    "with SetWorkflowID(key):\n    return child(n)": "return resonate.run(key, child, n)",
    "with SetWorkflowID(key), SetWorkflowTimeout(3):\n    child(n)": "",
    "with SetWorkflowTimeout(3):\n    child(n)": f"resonate.options(timeout=3).run({FRESH}, child, n)",
    "return act(n)": "return act(n)",
    "return list(map(act, items))": "return list(map(act, items))",
    "return [child(x) for x in items]": f"return [resonate.run({FRESH}, child, x) for x in items]",
    "DBOS.send(key, n)": "resonate.send(key, n)",
    "return DBOS.get_event(key, 'state', timeout_seconds=0)": "return resonate.get_event(key, 'state', timeout=0)",
    "return DBOS.retrieve_workflow(key).get_result()": "return resonate.get(key).result()",
    "return child.__name__": "return child.__name__",
}


@pytest.mark.parametrize(("before", "after"), [(before, after) for before, after in CASES.items() if after])
def test_start_in_plain_code_goes_through_the_client(outside, before: str, after: str) -> None:
    assert outside(before) == after


ASYNC = {
    "return child(n)": f"return await resonate.aio.run({FRESH}, child, n)",
    "h = DBOS.start_workflow(child, n)\nreturn h.get_result()": (
        f"h = await resonate.aio.begin_run({FRESH}, child, n)\nreturn await h"
    ),
    "h = await DBOS.retrieve_workflow_async(key)\nreturn await h.get_result()": (
        "h = await resonate.aio.get(key)\nreturn await h"
    ),
    "await DBOS.send_async(key, n, 'paid')": "await resonate.aio.send(key, n, 'paid')",
}


@pytest.mark.parametrize(("before", "after"), ASYNC.items())
def test_start_in_async_code_is_awaited(outside, before: str, after: str) -> None:
    assert outside(before, is_async=True) == after


@pytest.mark.parametrize(
    "tail",
    [
        "import threading\nthreading.Thread(target=flow).start()\n",
        "HANDLERS = [flow]\n",
        "@DBOS.step()\ndef act():\n    flow()\n",
        "async def go():\n    return [lambda: flow()]\n",
    ],
)
def test_workflow_that_cannot_be_followed_stays(migrate, tail: str) -> None:
    result = migrate(f"from dbos import DBOS\n\n@DBOS.workflow()\ndef flow():\n    DBOS.sleep(1)\n\n{tail}")
    assert result.tiers in ({"flow": "held"}, {"flow": "manual"})
    assert "@DBOS.workflow()" in result.text


def test_start_of_what_a_variable_holds_is_converted_with_all(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        @DBOS.workflow()
        def flow():
            DBOS.sleep(1)

        def go(function, *arguments):
            return DBOS.start_workflow(function, *arguments)
        """
    )
    assert "resonate.begin_run(str(uuid4()), function, *arguments)" in result.text
