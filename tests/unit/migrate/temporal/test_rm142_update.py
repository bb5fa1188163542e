from __future__ import annotations

import pytest

FLOW = """
from temporalio import workflow


@workflow.defn
class Flow:
    def __init__(self) -> None:
        self.n = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.n > 1)
        return self.n

    {decorator}
    {kind} handle(self, n: int = 1) -> int:
        {body}
"""


def source(decorator: str, kind: str = "def", body: str = "return self.n") -> str:
    return FLOW.format(decorator=decorator, kind=kind, body=body)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@workflow.update", "@update"),
        ("@workflow.update()", "@update"),
        ('@workflow.update(name="x")', '@update(name="x")'),
    ],
)
def test_update_decorator_keeps_its_name(migrate, before: str, after: str) -> None:
    done = migrate(source(before))
    assert f"    {after}\n    def handle(self, n: int = 1) -> int:\n        return self.n\n" in done.text
    assert done.tiers == {"Flow": "helper"}


def test_dynamic_update_keeps_the_program(migrate) -> None:
    done = migrate(source("@workflow.update(dynamic=True)"))
    assert not done.texts
    assert "is dynamic" in "\n".join(done.reasons)


def test_update_with_an_unknown_option_keeps_the_program(migrate) -> None:
    assert "option color=" in "\n".join(migrate(source("@workflow.update(color=1)")).reasons)


def test_update_description_is_reported(migrate) -> None:
    assert migrate(source('@workflow.update(description="x")')).codes == ["RM512"]


def test_update_that_awaits_becomes_a_generator_with_a_context(migrate) -> None:
    done = migrate(source("@workflow.update", "async def", "await workflow.sleep(1)\n        return self.n"))
    assert (
        "    def handle(self, ctx: Context, n: int = 1) -> Generator[Any, Any, int]:\n        yield ctx.sleep(1)"
        in done.text
    )


def test_update_that_is_async_without_awaiting_becomes_plain(migrate) -> None:
    done = migrate(source("@workflow.update", "async def"))
    assert "    @update\n    def handle(self, n: int = 1) -> int:\n        return self.n" in done.text


def test_update_that_logs_takes_the_context(migrate) -> None:
    done = migrate(source("@workflow.update", body="workflow.logger.info('x')\n        return self.n"))
    assert "    def handle(self, ctx: Context, n: int = 1) -> int:\n        ctx.logger.info('x')" in done.text
