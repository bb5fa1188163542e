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
        ("@workflow.signal", "@signal"),
        ("@workflow.signal()", "@signal"),
        ('@workflow.signal(name="x")', '@signal(name="x")'),
    ],
)
def test_signal_decorator_keeps_its_name(migrate, before: str, after: str) -> None:
    done = migrate(source(before))
    assert f"    {after}\n    def handle(self, n: int = 1) -> int:\n        return self.n\n" in done.text
    assert done.tiers == {"Flow": "helper"}


def test_dynamic_signal_keeps_the_program(migrate) -> None:
    done = migrate(source("@workflow.signal(dynamic=True)"))
    assert not done.texts
    assert "is dynamic" in "\n".join(done.reasons)


def test_signal_with_an_unknown_option_keeps_the_program(migrate) -> None:
    assert "option color=" in "\n".join(migrate(source("@workflow.signal(color=1)")).reasons)


def test_signal_description_is_reported(migrate) -> None:
    assert migrate(source('@workflow.signal(description="x")')).codes == ["RM512"]


def test_signal_that_awaits_becomes_a_generator_with_a_context(migrate) -> None:
    done = migrate(source("@workflow.signal", "async def", "await workflow.sleep(1)\n        return self.n"))
    assert (
        "    def handle(self, ctx: Context, n: int = 1) -> Generator[Any, Any, int]:\n        yield ctx.sleep(1)"
        in done.text
    )


def test_signal_that_is_async_without_awaiting_becomes_plain(migrate) -> None:
    done = migrate(source("@workflow.signal", "async def"))
    assert "    @signal\n    def handle(self, n: int = 1) -> int:\n        return self.n" in done.text


def test_signal_that_logs_takes_the_context(migrate) -> None:
    done = migrate(source("@workflow.signal", body="workflow.logger.info('x')\n        return self.n"))
    assert "    def handle(self, ctx: Context, n: int = 1) -> int:\n        ctx.logger.info('x')" in done.text
