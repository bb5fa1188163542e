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
        ("@workflow.query", "@query"),
        ("@workflow.query()", "@query"),
        ('@workflow.query(name="x")', '@query(name="x")'),
    ],
)
def test_query_decorator_keeps_its_name(migrate, before: str, after: str) -> None:
    done = migrate(source(before))
    assert f"    {after}\n    def handle(self, n: int = 1) -> int:\n        return self.n\n" in done.text
    assert done.tiers == {"Flow": "helper"}


def test_dynamic_query_keeps_the_program(migrate) -> None:
    done = migrate(source("@workflow.query(dynamic=True)"))
    assert not done.texts
    assert "is dynamic" in "\n".join(done.reasons)


def test_query_with_an_unknown_option_keeps_the_program(migrate) -> None:
    assert "option color=" in "\n".join(migrate(source("@workflow.query(color=1)")).reasons)


def test_query_description_is_reported(migrate) -> None:
    assert migrate(source('@workflow.query(description="x")')).codes == ["RM512"]


def test_query_that_asks_for_the_time_keeps_the_program(migrate) -> None:
    assert not migrate(source("@workflow.query", body="return workflow.now().year")).texts


def test_query_that_is_async_keeps_the_program(migrate) -> None:
    assert "is async" in "\n".join(migrate(source("@workflow.query", "async def")).reasons)
