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
        (
            "await workflow.execute_child_workflow('Elsewhere')",
            "# RM507: the worker of this child must move to Resonate too\nyield ctx.rpc('Elsewhere')",
        ),
        (
            "await workflow.execute_child_workflow(Child.run, n, id='x')",
            "yield ctx.rpc(child, n).options(id='x', if_exists=\"restart_closed\")",
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


@pytest.mark.parametrize(
    ("policy", "if_exists", "codes"),
    [
        ("ALLOW_DUPLICATE", "restart_closed", []),
        ("REJECT_DUPLICATE", "fail", []),
        ("TERMINATE_IF_RUNNING", "restart", []),
        ("ALLOW_DUPLICATE_FAILED_ONLY", "fail", ["RM505"]),
    ],
)
def test_child_keeps_what_starting_its_id_again_does(workflow, policy: str, if_exists: str, codes: list[str]) -> None:
    reuse = f"id_reuse_policy=temporalio.common.WorkflowIDReusePolicy.{policy}"
    call = f"await workflow.execute_child_workflow(Child.run, n, id='x', {reuse})"
    done = workflow(call, more=f"import temporalio.common\n{CHILD}")
    assert f'if_exists="{if_exists}"' in done.text
    assert done.codes == codes


def test_child_whose_id_is_always_new_says_nothing(workflow) -> None:
    call = "await workflow.execute_child_workflow(Child.run, n, id=f'x-{uuid.uuid4()}')"
    assert "if_exists" not in workflow(call, more=f"import uuid\n{CHILD}").text


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


@pytest.mark.parametrize("name", ["f'c-{n}'", "name_of(n)"])
def test_child_whose_name_is_put_together_is_called_by_it(workflow, name: str) -> None:
    more = "def name_of(n: int) -> str:\n    return str(n)"
    done = workflow(f"await workflow.execute_child_workflow({name}, n, id='x')", more=more)
    assert f"yield ctx.rpc({name}, n).options(id='x'" in done.text
    assert done.codes == ["RM507"]


@pytest.mark.parametrize("policy", ["None", "RetryPolicy(maximum_attempts=1)"])
def test_retry_policy_of_one_attempt_goes(workflow, policy: str) -> None:
    call = f"await workflow.execute_child_workflow(Child.run, n, retry_policy={policy})"
    assert "yield ctx.rpc(child, n)\n" in workflow(call, more=CHILD).text


@pytest.mark.parametrize("child", ["'x'", "f'x-{n}'"])
def test_id_of_a_started_child_is_what_its_start_says(workflow, child: str) -> None:
    done = workflow(f"h = await workflow.start_child_workflow(Child.run, n, id={child})\nreturn h.id", more=CHILD)
    assert f"    return {child}\n" in done.text


@pytest.mark.parametrize(
    "source",
    [
        "h = await workflow.start_child_workflow(Child.run, n)\nreturn h.id",
        "h = await workflow.start_child_workflow(Child.run, n, id=str(workflow.uuid4()))\nreturn h.id",
        "i = 'a'\nh = await workflow.start_child_workflow(Child.run, n, id=i)\ni = 'b'\nreturn h.id",
    ],
)
def test_id_of_a_child_that_its_start_does_not_say_plainly_keeps_the_workflow(workflow, source: str) -> None:
    done = workflow(source, more=CHILD)
    assert done.tiers["Flow"] == "held"
    assert "id of a child" in "\n".join(done.reasons)
