from __future__ import annotations

import pytest

FLOW = """
import asyncio
from temporalio import workflow


@workflow.defn
class Flow:
    def __init__(self) -> None:
        self.q: asyncio.Queue[int] = asyncio.Queue({limit})

    @workflow.run
    async def run(self, n: int) -> int:
        await workflow.sleep(1)
        {use}
        return n
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await self.q.put(n)", "self.q.append(n)"),
        ("self.q.put_nowait(n)", "self.q.append(n)"),
        ("n = self.q.get_nowait()", "n = self.q.popleft()"),
        ("n = self.q.qsize() + 1", "n = len(self.q) + 1"),
        ("n = self.q.empty()", "n = not self.q"),
        ("assert not self.q.empty()", "assert len(self.q) > 0"),
        ("assert not self.q.empty() or n", "assert len(self.q) > 0 or n"),
    ],
)
def test_queue_without_limit_becomes_a_deque(migrate, before: str, after: str) -> None:
    text = migrate(FLOW.format(limit="", use=before)).text
    assert f"        {after}\n" in text.replace("assert (len(self.q) > 0) or n", "assert len(self.q) > 0 or n")
    assert "self.q: deque[int] = deque()" in text
    assert "from collections import deque" in text
    assert "asyncio" not in text


@pytest.mark.parametrize(
    ("limit", "use"),
    [("3", "pass"), ("", "n = n or await self.q.get()"), ("", "await self.q.join()"), ("", "self.q.full()")],
)
def test_queue_that_waits_keeps_the_program(migrate, limit: str, use: str) -> None:
    done = migrate(FLOW.format(limit=limit, use=use))
    assert not done.texts
    assert done.reasons


def test_get_waits_until_there_is_something(migrate) -> None:
    text = migrate(FLOW.format(limit="", use="n = await self.q.get()")).text
    assert "        yield ctx.wait_until(lambda: self.q)\n        n = self.q.popleft()\n" in text


def test_several_takers_look_again_after_the_wait(migrate) -> None:
    text = migrate(FLOW.format(limit="", use="n = await self.q.get()\n        print(await self.q.get())")).text
    assert text.count("        while not self.q:\n            yield ctx.wait_until(lambda: self.q)\n") == 2
