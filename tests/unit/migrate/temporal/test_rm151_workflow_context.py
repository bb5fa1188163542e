from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("workflow.now()", "ctx.now()"),
        ("workflow.time()", "ctx.now().timestamp()"),
        ("workflow.uuid4()", "ctx.uuid4()"),
        ("workflow.random().random()", "ctx.rng.random()"),
        ("workflow.info().workflow_id", "ctx.id"),
        ("workflow.info().workflow_type", "ctx.info.function"),
        ("workflow.info().attempt", "ctx.info.attempt"),
        ("workflow.logger.info('x')", "ctx.logger.info('x')"),
        ("[workflow.now() for _ in range(n)]", "[ctx.now() for _ in range(n)]"),
        ("(lambda: workflow.now())()", "(lambda: ctx.now())()"),
    ],
)
def test_what_a_workflow_knows_of_itself_comes_from_the_context(body, before: str, after: str) -> None:
    assert body(f"await workflow.sleep(1)\nreturn {before}") == f"yield ctx.sleep(1)\nreturn {after}"


@pytest.mark.parametrize(
    "use",
    [
        "workflow.info().run_id",
        "workflow.info().parent.workflow_id",
        "workflow.info().task_queue",
        "workflow.info()",
        "workflow.memo()",
        "workflow.unsafe.is_replaying()",
        "workflow.now",
    ],
)
def test_what_has_no_counterpart_keeps_the_program(held, use: str) -> None:
    assert held(f"return {use}")


def test_logger_of_a_module_keeps_the_program(held) -> None:
    assert held("logger.info('x')", more="logger = workflow.logger")


def test_context_reaches_functions_that_only_log(workflow) -> None:
    done = workflow(
        "await workflow.sleep(1)\nreturn note(n, text='x')",
        more="def note(n, text):\n    return inner(n)\n\n\ndef inner(n):\n    workflow.logger.info('x')\n    return n",
    )
    assert "return note(ctx, n, text='x')" in done.text
    assert "def note(ctx: Context, n, text):\n    return inner(ctx, n)" in done.text
    assert "def inner(ctx: Context, n):\n    ctx.logger.info('x')" in done.text
