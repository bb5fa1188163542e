from __future__ import annotations

import pytest

HEAD = """
import uuid
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy


async def main(client: Client, name: str, fresh: str):
    {body}
"""


def converted(migrate, body: str) -> str:
    done = migrate(HEAD.format(body=body.replace("\n", "\n    ")))
    assert done.texts, done.reasons
    text = done.text.split("fresh: str):\n")[1]
    return "".join(text.split()).replace(",)", ")")


def start(options: str, identity: str = "'x'") -> str:
    return f"return await client.execute_workflow('W', id={identity}, task_queue='q'{options})"


@pytest.mark.parametrize(
    ("options", "exists"),
    [
        ("", "restart_closed"),
        (", id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE", "restart_closed"),
        (", id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE", "fail"),
        (", id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY", "fail"),
        (", id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING", "restart"),
        (", id_conflict_policy=WorkflowIDConflictPolicy.FAIL", "restart_closed"),
        (", id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING", "join"),
        (", id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING", "restart"),
    ],
)
def test_policy_for_an_id_that_was_used_becomes_if_exists(migrate, options: str, exists: str) -> None:
    text = converted(migrate, start(options))
    assert text == f"""returnawaitclient.options(target="poll://any@q",if_exists="{exists}").aio.rpc('x','W')"""


@pytest.mark.parametrize(
    ("identity", "is_fresh"),
    [
        ("str(uuid.uuid4())", True),
        ("f'x-{uuid.uuid4()}'", True),
        ("'x' + uuid.uuid4().hex", True),
        ("new", True),
        ("name", False),
        ("f'x-{name}'", False),
        ("'x'", False),
        ("fresh", False),
    ],
)
def test_id_that_is_new_by_construction_needs_no_policy(migrate, identity: str, is_fresh: bool) -> None:
    text = converted(migrate, "new = f'y-{uuid.uuid4()}'\n" + start("", identity))
    assert ("if_exists" not in text) is is_fresh


def test_module_constant_with_a_uuid_is_not_fresh(migrate) -> None:
    source = HEAD.format(body=start("", "RUN")).replace("\n\n\nasync", "\n\nRUN = str(uuid.uuid4())\n\n\nasync")
    assert 'if_exists="restart_closed"' in migrate(source).text


def test_task_queue_of_a_variable_becomes_an_address(migrate) -> None:
    text = converted(migrate, "await client.start_workflow('W', 1, id=name, task_queue=name)")
    assert 'target=f"poll://any@{name}"' in text
    assert "aio.begin_rpc(name,'W',1)" in text


@pytest.mark.parametrize(
    "body",
    [
        start(", start_signal='s'"),
        start(", cron_schedule='* * * * *'"),
        start(", retry_policy=None"),
        start(", id_reuse_policy=name"),
        "await client.start_workflow('W', **name)",
        "await client.start_workflow('W', id='x', task_queue='q', **name)",
        "client.get_workflow_handle('x', run_id='y')",
        "await client.list_workflows()",
        "await client.create_schedule('x', name)",
        "print(client.namespace)",
        "await Client.connect('x', interceptors=[name])",
        "await Client.connect('x', data_converter=name)",
        "await Client.connect(**name)",
    ],
)
def test_client_that_asks_for_more_keeps_the_program(migrate, body: str) -> None:
    done = migrate(HEAD.format(body=body))
    assert not done.texts
    assert done.reasons


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ("", ["RM171"]),
        (", namespace='n'", ["RM171", "RM171"]),
        (", api_key=name, tls=True", ["RM171", "RM171", "RM171"]),
    ],
)
def test_settings_that_are_left_out_are_reported(migrate, options: str, codes: list[str]) -> None:
    assert migrate(HEAD.format(body=f"c = await Client.connect('x'{options})\n    print(c)")).codes == codes


def test_handle_in_a_plain_function_is_got_with_the_blocking_form(migrate) -> None:
    done = migrate("""
        from temporalio.client import Client


        def handle_of(client: Client, name: str):
            return client.get_workflow_handle(name)
        """)
    assert "    return client.get(name)\n" in done.text


def test_class_in_a_variable_is_started_itself(migrate) -> None:
    done = migrate("""
        from temporalio import workflow
        from temporalio.client import Client


        @workflow.defn
        class Old:
            @workflow.run
            async def run(self) -> None:
                await workflow.sleep(1)


        @workflow.defn
        class New:
            @workflow.run
            async def run(self) -> None:
                await workflow.sleep(2)


        async def main(client: Client, is_new: bool):
            flow = Old
            if is_new:
                flow = New
            await client.execute_workflow(flow.run, id="x", task_queue="q")
        """)
    assert "flow.run" not in done.text
    assert '"x", flow' in done.text
