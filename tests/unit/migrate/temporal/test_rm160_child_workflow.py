from __future__ import annotations

import pytest

CHILD = """
@workflow.defn
class Child:
    @workflow.run
    async def run(self, n: int) -> int:
        await workflow.sleep(1)
        return n
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await workflow.execute_child_workflow(Child.run, n)", "yield ctx.rpc(child, n)"),
        ("await workflow.execute_child_workflow('Child', n)", "yield ctx.rpc('Child', n)"),
        ("await workflow.execute_child_workflow('Elsewhere')", "yield ctx.rpc('Elsewhere')"),
        (
            "await workflow.execute_child_workflow(Child.run, n, id='x')",
            "yield ctx.rpc(child, n).options(id='x')",
        ),
        (
            "await workflow.execute_child_workflow(Child.run, n, task_queue='q')",
            'yield ctx.rpc(child, n).options(target="poll://any@q")',
        ),
        (
            "h = await workflow.start_child_workflow(Child.run, n)\nreturn await h",
            'h = yield ctx.begin_rpc(child, n).options(parent_close="terminate")\nreturn (yield h)',
        ),
        (
            "await workflow.start_child_workflow(Child.run, n, parent_close_policy=workflow.ParentClosePolicy.ABANDON)",
            "yield ctx.detached(child, n)",
        ),
    ],
)
def test_child_becomes_an_rpc(workflow, before: str, after: str) -> None:
    from tests.unit.migrate.temporal.conftest import body_of

    assert body_of(workflow(before, more=CHILD).text) == after


def test_child_with_an_id_of_its_own_is_reported(workflow) -> None:
    assert workflow("await workflow.execute_child_workflow(Child.run, n, id='x')", more=CHILD).codes == ["RM505"]


def test_child_in_a_picky_workflow_is_wrapped(workflow) -> None:
    done = workflow(
        "try:\n    return await workflow.execute_child_workflow(Child.run, n)\nexcept ValueError:\n    return 0",
        more=CHILD,
    )
    assert 'ctx.rpc(child, n).options(errors="wrapped")' in done.text


@pytest.mark.parametrize(
    "call",
    ["n, id='x'", "'Child', cron_schedule='* * * * *'", "'Child', parent_close_policy=n", "**n"],
)
def test_child_that_only_the_program_knows_keeps_it(held, call: str) -> None:
    assert held(f"await workflow.execute_child_workflow({call})", more=CHILD)
