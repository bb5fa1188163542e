from __future__ import annotations

import pytest

ACT = "workflow.execute_activity(act, i, start_to_close_timeout=timedelta(seconds=10))"
ONE = f"async def one(i):\n    async with sem:\n        return await {ACT}\n\n"
GATHER = "return await asyncio.gather(*[one(i) for i in range(n)]{})"


@pytest.mark.parametrize("kind", ["Semaphore", "BoundedSemaphore"])
@pytest.mark.parametrize("options", ["", ", return_exceptions=True"])
def test_semaphore_around_the_parts_of_a_gather_becomes_its_limit(body, kind: str, options: str) -> None:
    text = "".join(body(f"sem = asyncio.{kind}(3)\n{ONE}{GATHER.format(options)}").split())
    assert "defone(ctx:Context,i):return(yieldctx.run(act,i))" in text
    assert "limit=3" in text
    assert "sem" not in text.replace("assembl", "")


CLASS = """
@workflow.defn
class Counts:
    def __init__(self) -> None:
        self.sem = asyncio.Semaphore({count})

    @workflow.run
    async def run(self, n: int) -> int:
        await asyncio.gather(self.one(1), self.one(2))
        return n

    async def one(self, i: int) -> int:
        {block}
            return await workflow.execute_activity(act, i, start_to_close_timeout=timedelta(seconds=10))
"""


def test_semaphore_of_the_object_becomes_a_counter(workflow) -> None:
    done = workflow("return n", more=CLASS.format(count=2, block="async with self.sem:"))
    assert "        self.sem = 2\n" in done.text
    assert (
        "        while self.sem == 0:\n            yield ctx.wait_until(lambda: self.sem > 0)\n        self.sem -= 1\n"
        "        try:\n            return (yield ctx.run(act, i))\n        finally:\n            self.sem += 1"
    ) in done.text
    assert "RM138" in done.codes


@pytest.mark.parametrize(
    ("count", "block"),
    [("", "async with self.sem:"), ("2", "if await self.sem.acquire():"), ("2", "async with self.sem as s:")],
)
def test_semaphore_that_is_used_otherwise_keeps_its_workflow(workflow, count: str, block: str) -> None:
    done = workflow("return n", more=CLASS.format(count=count, block=block))
    assert done.tiers["Counts"] == "held"


@pytest.mark.parametrize(
    "source",
    [
        f"sem = asyncio.Semaphore(n + 1)\n{ONE}{GATHER.format('')}",
        f"sem = asyncio.Semaphore(3)\n{ONE}await one(1)\n{GATHER.format('')}",
        f"sem = asyncio.Semaphore(3)\n{ONE.replace('    async with', '    n = 1{0}    async with')}".format("\n")
        + GATHER.format(""),
        f"sem = asyncio.Semaphore(3)\nasync with sem:\n    await {ACT.replace('i,', 'n,')}",
    ],
)
def test_semaphore_that_limits_more_than_a_gather_keeps_the_program(held, source: str) -> None:
    assert "semaphore" in held(source)
