from __future__ import annotations

import pytest

FLOW = """
from temporalio import workflow


@workflow.defn
class Flow:
    def __init__(self) -> None:
        self.stop = False
        self.seen = 0

    @workflow.run
    async def run(self, n: int) -> None:
{body}

    @workflow.signal
    def halt(self) -> None:
        self.stop = True

    @workflow.query
    def count(self) -> int:
        return self.seen
"""


def converted(migrate, *lines: str) -> list[str]:
    done = migrate(FLOW.format(body="\n".join("        " + line for line in lines)))
    assert done.tiers == {"Flow": "helper"}, done.reasons
    text = done.text.split("-> Generator[Any, Any, None]:\n")[1].split("\n\n    @signal")[0]
    return [line[8:] for line in text.split("\n")]


def test_read_after_work_drains_first(migrate) -> None:
    assert converted(migrate, "await workflow.sleep(1)", "if self.stop:", "    return") == [
        "yield ctx.sleep(1)",
        "yield ctx.drain()",
        "if self.stop:",
        "    return",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ("if self.stop:", "    return", "await workflow.sleep(1)"),
        ("await workflow.sleep(1)", "self.seen += 1"),
        ("await workflow.sleep(1)", "print(lambda: self.stop)"),
        ("await workflow.sleep(1)", "self.stop = False"),
        ("await workflow.sleep(1)", "await workflow.wait_condition(lambda: self.stop)", "print(self.stop)"),
    ],
)
def test_read_that_nothing_can_have_changed_drains_nothing(migrate, lines: tuple[str, ...]) -> None:
    assert not any("drain" in line for line in converted(migrate, *lines))


def test_loop_head_drains_at_the_end_of_the_body(migrate) -> None:
    assert converted(migrate, "while not self.stop:", "    await workflow.sleep(1)") == [
        "while not self.stop:",
        "    yield ctx.sleep(1)",
        "    yield ctx.drain()",
    ]


def test_read_at_the_top_of_a_loop_drains_there(migrate) -> None:
    assert converted(
        migrate, "for i in range(n):", "    if self.stop:", "        break", "    await workflow.sleep(i)"
    ) == [
        "for i in range(n):",
        "    yield ctx.drain()",
        "    if self.stop:",
        "        break",
        "    yield ctx.sleep(i)",
    ]


def test_elif_drains_above_its_if(migrate) -> None:
    lines = converted(migrate, "await workflow.sleep(1)", "if n:", "    pass", "elif self.stop:", "    return")
    assert lines[1:3] == ["yield ctx.drain()", "if n:"]


def test_one_drain_is_enough_until_the_next_work(migrate) -> None:
    lines = converted(migrate, "await workflow.sleep(1)", "print(self.stop)", "print(self.stop)")
    assert lines.count("yield ctx.drain()") == 1
