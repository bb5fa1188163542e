from __future__ import annotations

import pytest

FLOW = """
@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.ready{annotation} = asyncio.Event()

    @workflow.run
    async def run(self, n: int) -> int:
        {use}
        return n

    @workflow.signal
    def go(self) -> None:
        self.ready.set()
"""


@pytest.mark.parametrize(
    ("use", "after"),
    [
        ("await self.ready.wait()", "yield ctx.wait_until(lambda: self.ready)"),
        ("await asyncio.wait_for(self.ready.wait(), 5)", "yield ctx.wait_until(lambda: self.ready, timeout=5)"),
        ("self.ready.clear()", "self.ready = False"),
        ("n = self.ready.is_set()", "n = self.ready"),
    ],
)
def test_event_becomes_a_flag(workflow, use: str, after: str) -> None:
    done = workflow("return n", more=FLOW.format(annotation="", use=f"await workflow.sleep(1)\n        {use}"))
    assert f"        {after}\n" in done.text
    assert "        self.ready = False\n" in done.text
    assert "        self.ready = True\n" in done.text


def test_annotation_of_an_event_is_that_of_a_flag(workflow) -> None:
    done = workflow("return n", more=FLOW.format(annotation=": asyncio.Event", use="await self.ready.wait()"))
    assert "        self.ready: bool = False\n" in done.text


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        ("self.ready.set()\n        self.ready.clear()", "for a moment"),
        ("x = self.ready.set()", "for a moment"),
        ("x = self.ready.wait()\n        await x", "not awaited at once"),
        ("e = asyncio.Event()\n        await e.wait()", "no attribute"),
        ("e = self.ready\n        await e.wait()", "no attribute"),
    ],
)
def test_event_that_is_more_than_a_flag_keeps_its_workflow(workflow, use: str, reason: str) -> None:
    done = workflow("return n", more=FLOW.format(annotation="", use=use))
    assert done.tiers["Waits"] == "held"
    assert reason in "\n".join(done.reasons)
