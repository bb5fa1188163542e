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
        ("workflow.info().attempt", "1"),
        ("workflow.info().run_id", "ctx.info.run_id"),
        ("workflow.info().start_time", "datetime.fromtimestamp(ctx.info.created_at, UTC)"),
        ("workflow.info().get_current_history_length() > 5", "ctx.info.history_length > 5"),
        ("workflow.info().is_target_worker_deployment_version_changed()", "False"),
        ("workflow.info().is_continue_as_new_suggested()", "ctx.info.is_continue_as_new_suggested"),
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
        "workflow.info().get_current_history_length",
        "workflow.info().parent.workflow_id",
        "workflow.info().task_queue",
        "workflow.info()",
        "workflow.memo()",
        "workflow.unsafe.is_read_only()",
        "workflow.now",
    ],
)
def test_what_has_no_counterpart_keeps_the_program(held, use: str) -> None:
    assert held(f"return {use}")


def test_logger_of_a_module_that_only_workflows_use_is_the_context_s(workflow) -> None:
    done = workflow("logger.info('x')\nawait workflow.sleep(1)", more="logger = workflow.logger")
    assert "    ctx.logger.info('x')\n    yield ctx.sleep(1)" in done.text
    assert "logger = " not in done.text


def test_logger_of_a_module_that_others_use_too_keeps_the_program(held) -> None:
    more = "logger = workflow.logger\n\n\ndef other():\n    logger.info('y')"
    assert "logger" in held("logger.info('x')\nawait workflow.sleep(1)", more=more)


def test_setting_of_the_logger_goes(workflow) -> None:
    done = workflow("workflow.logger.workflow_info_on_message = False\nawait workflow.sleep(1)")
    assert "    yield ctx.sleep(1)" in done.text
    assert "info_on_message" not in done.text
    assert done.codes == ["RM512"]


def test_context_reaches_functions_that_only_log(workflow) -> None:
    done = workflow(
        "await workflow.sleep(1)\nreturn note(n, text='x')",
        more="def note(n, text):\n    return inner(n)\n\n\ndef inner(n):\n    workflow.logger.info('x')\n    return n",
    )
    assert "return note(ctx, n, text='x')" in done.text
    assert "def note(ctx: Context, n, text):\n    return inner(ctx, n)" in done.text
    assert "def inner(ctx: Context, n):\n    ctx.logger.info('x')" in done.text


INIT = """
@workflow.defn
class Knows:
    def __init__(self) -> None:
        self.me = workflow.info().workflow_id

    @workflow.run
    async def run(self, n: int) -> str:
        await workflow.sleep(1)
        return {}

    @workflow.signal
    async def tell(self) -> None:
        await workflow.sleep(1)
        self.me = workflow.info().workflow_id
"""


def test_constructor_that_asks_takes_the_context(workflow) -> None:
    done = workflow("return n", more=INIT.format("self.me"))
    assert "    def __init__(self, ctx: Context) -> None:\n        self.me = ctx.id\n" in done.text


def test_handler_asks_for_the_id_of_the_execution_and_not_for_its_own(workflow) -> None:
    done = workflow("return n", more=INIT.format("self.me"))
    assert "        yield ctx.sleep(1)\n        self.me = ctx.info.execution_id" in done.text


def test_helper_that_runs_beside_the_entry_asks_for_the_id_of_the_execution(workflow) -> None:
    more = "async def one(n):\n    await workflow.sleep(1)\n    return workflow.info().workflow_id"
    done = workflow("await asyncio.gather(one(1), one(2))\nreturn workflow.info().workflow_id", more=more)
    assert "    return ctx.info.execution_id" in done.text
    assert "    return ctx.id" in done.text


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (INIT.format("self.me") + "\n\nknows = Knows()", "is called outside of workflows too"),
        (INIT.format("self.me").replace("self.me = w", "ctx = self.me = w"), "uses the name ctx itself"),
    ],
)
def test_constructor_that_cannot_take_the_context_keeps_its_workflow(workflow, more: str, reason: str) -> None:
    done = workflow("return n", more=more)
    assert done.tiers == {"Flow": "idiomatic", "Knows": "held"}
    assert reason in "\n".join(done.reasons)


def test_own_queue_of_a_workflow_needs_no_target(body) -> None:
    use = "task_queue=workflow.info().task_queue, start_to_close_timeout=timedelta(seconds=10)"
    assert body(f"return await workflow.execute_activity(act, n, {use})") == "return (yield ctx.run(act, n))"
