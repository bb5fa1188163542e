from __future__ import annotations

FLOW = """
import asyncio
from temporalio import workflow


@workflow.defn
class Flow:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    @workflow.run
    async def run(self, n: int) -> int:
        {use}
            await workflow.sleep(1)
        return n
"""


def test_lock_becomes_a_flag_that_is_looked_at_again_after_each_wake(migrate) -> None:
    done = migrate(FLOW.format(use="async with self.lock:"))
    assert "self.lock = False\n" in done.text
    assert (
        "        while self.lock:\n            yield ctx.wait_until(lambda: not self.lock)\n        self.lock = True\n"
        "        try:\n            yield ctx.sleep(1)\n        finally:\n            self.lock = False\n"
    ) in done.text
    assert done.codes == ["RM134"]


def test_lock_that_is_asked_whether_it_is_taken_keeps_the_program(migrate) -> None:
    done = migrate(FLOW.format(use="print(self.lock.locked())\n        async with self.lock:"))
    assert not done.texts
    assert "otherwise than in async with" in "\n".join(done.reasons)
