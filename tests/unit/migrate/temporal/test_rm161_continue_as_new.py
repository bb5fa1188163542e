from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("workflow.continue_as_new(n)", "yield ctx.continue_as_new(n)"),
        ("workflow.continue_as_new(args=[n, 1])", "yield ctx.continue_as_new(n, 1)"),
        ("workflow.continue_as_new()", "yield ctx.continue_as_new()"),
        ("raise workflow.continue_as_new(n)", "raise (yield ctx.continue_as_new(n))"),
    ],
)
def test_continue_as_new_is_yielded(body, before: str, after: str) -> None:
    assert body(f"await workflow.sleep(1)\n{before}") == f"yield ctx.sleep(1)\n{after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await workflow.continue_as_new(n)", "yield ctx.continue_as_new(n)"),
        ("return await workflow.continue_as_new(n)", "return (yield ctx.continue_as_new(n))"),
        ("workflow.continue_as_new(n, workflow=Flow.run)", "yield ctx.continue_as_new(n)"),
        ("workflow.continue_as_new(n, memo={'a': 1}, task_timeout=LIMIT)", "yield ctx.continue_as_new(n)"),
        ("workflow.continue_as_new(n, task_queue=workflow.info().task_queue)", "yield ctx.continue_as_new(n)"),
    ],
)
def test_options_that_say_what_is_so_anyway_go(body, before: str, after: str) -> None:
    assert body(f"await workflow.sleep(1)\n{before}") == f"yield ctx.sleep(1)\n{after}"


def test_memo_of_the_next_run_that_is_left_out_is_noted(workflow) -> None:
    assert workflow("workflow.continue_as_new(n, memo={'a': 1})").codes == ["RM512"]


@pytest.mark.parametrize(
    "option", ["workflow='Other'", "run_timeout=LIMIT", "retry_policy=RetryPolicy()", "task_queue='other'", "**{}"]
)
def test_continue_as_new_with_other_options_keeps_the_program(held, option: str) -> None:
    assert "has no counterpart" in held(f"workflow.continue_as_new(n, {option})")


def test_continue_as_new_in_a_plain_helper_makes_it_a_generator(workflow) -> None:
    done = workflow("await workflow.sleep(1)\nagain(n)", more="def again(n):\n    workflow.continue_as_new(n)")
    assert "def again(ctx: Context, n):\n    yield ctx.continue_as_new(n)" in done.text
    assert "    yield from again(ctx, n)" in done.text


def test_continue_as_new_in_a_query_keeps_its_workflow(workflow) -> None:
    done = workflow(
        "return n",
        more="""
        @workflow.defn
        class Asked:
            @workflow.run
            async def run(self, n: int) -> int:
                await workflow.sleep(n)
                return n

            @workflow.query
            def again(self) -> int:
                workflow.continue_as_new(1)
        """,
    )
    assert done.tiers["Asked"] == "held"
    assert "again cannot end the run" in "\n".join(done.reasons)
