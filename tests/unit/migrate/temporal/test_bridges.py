"""Which links of a Temporal project the shim can stand in for."""

from __future__ import annotations

import textwrap

import pytest

from migrate.run import run
from migrate.settings import Settings

FLOWS = """
    from datetime import timedelta

    from temporalio import activity, workflow


    @activity.defn
    async def act(n: int) -> int:
        {act}
        return n


    @workflow.defn
    class Flow:
        @workflow.run
        async def run(self, n: int) -> int:
            return await workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=5))


    @workflow.defn
    class Other:
        @workflow.run
        async def run(self, n: int) -> int:
            {other}
            return n
    """
WIRING = """
    from temporalio import common, converter
    from temporalio.client import Client
    from temporalio.contrib.opentelemetry import TracingInterceptor
    from temporalio.contrib.pydantic import pydantic_data_converter
    from temporalio.service import RPCError
    from temporalio.worker import Worker

    import own
    from flows import Flow, Other, act


    async def main(options: dict) -> None:
        client = await Client.connect("localhost:7233"{connect})
        worker = Worker(client, task_queue="q", workflows=[Flow, Other], activities=[act]{worker})
        try:
            print(await client.execute_workflow(Flow.run, 1, id="f", task_queue="q"{start}))
        except RPCError as error:
            print(error.status)
        await worker.run()
    """


@pytest.fixture
def tiers(tmp_path):
    """Migrate a project with a client that stays; return the tiers of its workflows."""

    def make(*, act="", other="", connect="", worker="", start="", more: dict[str, str] | None = None):
        wiring = WIRING.format(connect=connect, worker=worker, start=start)
        flows = FLOWS.format(act=act or "pass", other=other or "pass")
        for name, text in {"flows.py": flows, "wiring.py": wiring, "own.py": "", **(more or {})}.items():
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
        report = run(Settings((tmp_path,), "temporal")).report
        make.findings = report.findings
        make.texts = {one.path: one.encoded.decode() for one in report.changed}
        return {one.name: one.tier for one in report.workflows}

    return make


BOTH = {"Flow": "idiomatic", "Other": "idiomatic"}
NONE = {"Flow": "compat", "Other": "compat"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"connect": ", data_converter=pydantic_data_converter"},
        {"connect": ", interceptors=[TracingInterceptor()]"},
        {"start": ", retry_policy=common.RetryPolicy(maximum_attempts=1)"},
        {"start": ", cron_schedule=None"},
        {"connect": ", **{'namespace': 'n'}"},
    ],
    ids=str,
)
def test_client_that_stays_keeps_no_workflow(tiers, said):
    assert tiers(**said) == BOTH


@pytest.mark.parametrize(
    "said",
    [
        {"connect": ", data_converter=own.converter"},
        {"connect": ", data_converter=converter.DataConverter(payload_codec=own.codec)"},
        {"connect": ", plugins=[own.plugin]"},
        {"worker": ", interceptors=[own.interceptor]"},
        {"worker": ", **options"},
        {"connect": ", **{'interceptors': [own.interceptor]}"},
    ],
    ids=str,
)
def test_client_that_sees_what_it_carries_keeps_its_workflows(tiers, said):
    assert tiers(**said) == NONE


@pytest.mark.parametrize(
    "start", [", cron_schedule='* * * * *'", ", retry_policy=own.policy", ", start_signal='go'", ", **options"]
)
def test_start_that_the_shim_drives_keeps_the_workflow_that_it_starts(tiers, start):
    assert tiers(start=start) == {"Flow": "compat", "Other": "idiomatic"}


def test_workflow_that_stays_keeps_neither_its_neighbour_nor_their_step(tiers):
    assert tiers(other="await own.run()") == {"Flow": "idiomatic", "Other": "compat"}
    assert "@step(" in tiers.texts["flows.py"]
    assert "workflows=[flow, Other]" in tiers.texts["wiring.py"]
    assert "client.execute_workflow(flow, 1" in tiers.texts["wiring.py"]


def test_activity_that_stays_is_marked_as_a_step_too(tiers):
    assert tiers(act="activity.client()") == BOTH
    assert "@activity.defn\n@step(attempt_timeout=5" in tiers.texts["flows.py"]
    assert "RM123" in {one.code for one in tiers.findings}


@pytest.mark.parametrize("act", ["activity.raise_complete_async()", "print(activity.info().task_token)"])
def test_activity_that_is_completed_from_outside_keeps_its_workflow(tiers, act):
    assert tiers(act=act) == {"Flow": "compat", "Other": "idiomatic"}


def test_test_that_stays_keeps_nothing_and_is_told_once(tiers):
    test = """
        from temporalio.testing import WorkflowEnvironment
        from temporalio.worker import Worker

        from flows import Flow, act


        async def test_flow():
            async with await WorkflowEnvironment.start_local(data_converter=None) as env:
                async with Worker(env.client, task_queue="t", workflows=[Flow], activities=[act]):
                    assert await env.client.execute_workflow(Flow.run, 1, id="f", task_queue="t") == 1
        """
    assert tiers(more={"tests/test_flow.py": test}) == BOTH
    told = [one for one in tiers.findings if one.path == "tests/test_flow.py"]
    assert [(one.code, one.level) for one in told] == [("RM015", "review")]
    assert "from compat.temporal.testing import WorkflowEnvironment" in tiers.texts["tests/test_flow.py"]
    assert "execute_workflow(flow, 1" in tiers.texts["tests/test_flow.py"]


def test_direct_call_of_a_run_method_in_a_test_is_told_and_keeps_nothing(tiers):
    test = """
        import asyncio

        from flows import Flow


        def test_flow():
            asyncio.run(Flow().run(1))
        """
    assert tiers(more={"tests/test_flow.py": test}) == {"Flow": "helper", "Other": "idiomatic"}
    told = [(one.code, one.level) for one in tiers.findings if one.path == "tests/test_flow.py"]
    assert told == [("RM015", "manual")]


def test_wiring_that_stays_is_told_once_for_each_file(tiers):
    tiers()
    assert [one.line for one in tiers.findings if one.code == "RM014"] == [12]
