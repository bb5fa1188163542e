from __future__ import annotations

import pytest

TEN = "start_to_close_timeout=timedelta(seconds=10)"
CASES = {
    f"await workflow.execute_activity(act, n, {TEN})": "yield ctx.run(act, n)",
    f"await workflow.execute_activity(act, arg=n, {TEN})": "yield ctx.run(act, n)",
    f"await workflow.execute_activity(act, args=[n], {TEN})": "yield ctx.run(act, n)",
    f"await workflow.execute_local_activity(act, n, {TEN})": "yield ctx.run(act, n)",
    f"return await workflow.execute_activity(act, n, {TEN})": "return (yield ctx.run(act, n))",
    f"assert await workflow.execute_activity(act, n, {TEN}) > 3": "assert (yield ctx.run(act, n)) > 3",
    f"x = [await workflow.execute_activity(act, n, {TEN})]": "x = [(yield ctx.run(act, n))]",
    f"x: int = await workflow.execute_activity(act, n, {TEN})": "x: int = yield ctx.run(act, n)",
    f"h = workflow.start_activity(act, n, {TEN})\nreturn await h": "h = yield ctx.begin_run(act, n)\nreturn (yield h)",
    f"await workflow.start_activity(act, n, {TEN})": "yield ctx.run(act, n)",
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_activity_call_in_each_place_becomes_a_run(body, before: str, after: str) -> None:
    assert body(before) == after


def test_activity_call_nested_in_another_becomes_nested_yields(body) -> None:
    inner = "await workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))"
    outer = f"return await workflow.execute_activity(act, {inner}, start_to_close_timeout=timedelta(seconds=10))"
    text = "".join(body(outer).split())
    assert text.replace(",)", ")") == "return(yieldctx.run(act,(yieldctx.run(act,n))))"


def test_activity_call_in_a_lambda_keeps_the_program(held) -> None:
    reasons = held("f = lambda: workflow.execute_activity(act, n, start_to_close_timeout=LIMIT)\nreturn await f()")
    assert "which is no durable call" in reasons


def test_activity_call_with_two_positional_arguments_keeps_the_program(held) -> None:
    assert "so it never ran" in held("await workflow.execute_activity(act, n, n, start_to_close_timeout=LIMIT)")


def test_activity_class_keeps_the_program(held) -> None:
    assert "callable objects" in held("await workflow.execute_activity_class(act, n, start_to_close_timeout=LIMIT)")


def test_context_name_that_is_taken_is_not_shadowed(body) -> None:
    text = body("ctx = n\nawait workflow.execute_activity(act, ctx, start_to_close_timeout=timedelta(seconds=10))")
    assert text == "ctx = n\nyield resonate_ctx.run(act, ctx)"


@pytest.mark.parametrize(
    ("imports", "name"),
    [
        ("import temporalio.workflow", "temporalio.workflow"),
        ("import temporalio.workflow as wf", "wf"),
        ("from temporalio import workflow as wf", "wf"),
        ("import temporalio.workflow as workflow", "workflow"),
    ],
)
def test_activity_call_under_every_spelling_of_the_import_is_found(migrate, imports: str, name: str) -> None:
    done = migrate(f"""
        {imports}
        from datetime import timedelta
        from temporalio.activity import defn

        @defn
        async def act(n: int) -> int:
            return n

        @{name}.defn
        class Flow:
            @{name}.run
            async def run(self, n: int) -> int:
                return await {name}.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=1))
        """)
    assert "return (yield ctx.run(act, n))" in done.text
    assert "temporalio" not in done.text


def test_names_imported_one_by_one_are_found(migrate) -> None:
    done = migrate("""
        from datetime import timedelta
        from temporalio.activity import defn as step_defn
        from temporalio.workflow import defn, execute_activity as call, run

        @step_defn
        async def act(n: int) -> int:
            return n

        @defn
        class Flow:
            @run
            async def start(self, n: int) -> int:
                return await call(act, n, start_to_close_timeout=timedelta(seconds=1))
        """)
    assert "def flow(ctx: Context, n: int) -> Generator[Any, Any, int]:" in done.text
    assert "return (yield ctx.run(act, n))" in done.text
    assert "temporalio" not in done.text
