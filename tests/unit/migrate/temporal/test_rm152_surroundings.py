from __future__ import annotations

import pytest

ACT = "await workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))"
HANDLER = """
@workflow.defn
class Waits:
    @workflow.run
    async def run(self, n: int) -> int:
        await workflow.sleep(1)
        await workflow.wait_condition({})
        return n

    @workflow.signal
    async def tell(self, n: int) -> None:
        await workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("n = workflow.unsafe.is_replaying()", "n = ctx.info.is_replaying"),
        ("if workflow.in_workflow():\n    n = 1\nelse:\n    n = 2", "n = 1"),
        ("if not workflow.in_workflow():\n    return 1", ""),
        ("with workflow.unsafe.sandbox_unrestricted():\n    n = 2\n    n += 1", "n = 2\nn += 1"),
        ("workflow.set_current_details(f'{n}')", "yield ctx.set_event(\"current_details\", f'{n}')"),
        (
            "workflow.upsert_search_attributes({'a': [n]})",
            "# RM152: upsert_search_attributes is left out; publish with ctx.set_event what others read",
        ),
    ],
)
def test_surroundings_get_their_counterparts(body, before: str, after: str) -> None:
    expected = f"yield ctx.sleep(1)\n{after}\nreturn n" if after else "yield ctx.sleep(1)\nreturn n"
    assert body(f"await workflow.sleep(1)\n{before}\nreturn n") == expected


def test_search_attributes_that_are_left_out_are_reported(workflow) -> None:
    assert workflow(f"workflow.upsert_search_attributes({{'a': [n]}})\nreturn {ACT}").codes == ["RM152"]


@pytest.mark.parametrize(
    ("condition", "after"),
    [
        ("workflow.all_handlers_finished", "ctx.wait_until(ctx.all_handlers_finished)"),
        ("lambda: workflow.all_handlers_finished()", "ctx.wait_until(lambda: ctx.all_handlers_finished())"),
    ],
)
def test_wait_for_handlers_asks_the_context(workflow, condition: str, after: str) -> None:
    done = workflow("return n", more=HANDLER.format(condition))
    assert f"        yield ctx.drain()\n        yield {after}\n" in done.text


def test_object_of_the_workflow_is_self(workflow) -> None:
    assert "return self, " in workflow(f"return workflow.instance(), {ACT}").text


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        ("x = workflow.get_current_details()", "has no counterpart"),
        ("x = workflow.upsert_memo({'a': n})", "larger expression"),
        ("workflow.upsert_memo({'a': await workflow.sleep(1)})", "is used elsewhere"),
        ("x = workflow.set_current_details('x')", "where nothing can be awaited"),
        ("with workflow.unsafe.sandbox_unrestricted(), open('x') as f:\n    pass", "not the only thing"),
    ],
)
def test_what_stands_elsewhere_keeps_the_program(held, use: str, reason: str) -> None:
    assert reason in held(f"{use}\nreturn {ACT}")


def test_question_that_others_ask_too_keeps_the_program(held) -> None:
    more = "def inside() -> bool:\n    return workflow.in_workflow()\n\n\ndef other() -> bool:\n    return inside()"
    assert "others call it too" in held(f"return inside() and {ACT}", more=more)
