"""Whole workflows in memory, with no server: what a project's own tests do."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import activity, workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from compat.temporal.client import Client, WorkflowFailureError
from compat.temporal.connection import store_url
from compat.temporal.testing import ActivityEnvironment, WorkflowEnvironment
from compat.temporal.worker import UnsandboxedWorkflowRunner, Worker
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MONTH = 30 * 86_400


@activity.defn
async def double(number: int) -> int:
    if number < 0:
        raise ApplicationError("negative", type="Negative", non_retryable=True)
    return 2 * number


@workflow.defn
class Patient:
    def __init__(self) -> None:
        self.named: list[str] = []

    @workflow.run
    async def run(self, number: int) -> dict[str, Any]:
        result = await workflow.execute_activity(double, number, start_to_close_timeout=timedelta(seconds=5))
        began = workflow.now()
        try:
            await workflow.wait_condition(lambda: bool(self.named), timeout=timedelta(seconds=MONTH))
        except TimeoutError:
            self.named.append("nobody")
        return {"result": result, "named": self.named, "days": (workflow.now() - began).days}

    @workflow.signal
    def name(self, who: str) -> None:
        self.named.append(who)

    @workflow.query
    def names(self) -> list[str]:
        return self.named


@pytest.fixture
async def env() -> AsyncIterator[Any]:
    async with await WorkflowEnvironment.start_time_skipping() as made:
        runner = UnsandboxedWorkflowRunner()
        queue = {"task_queue": "unit", "workflows": [Patient], "activities": [double], "workflow_runner": runner}
        async with Worker(made.client, **queue):
            yield made


async def test_environment_skips_a_month_while_a_result_is_awaited(env: Any) -> None:
    result = await env.client.execute_workflow(Patient.run, 4, id="p", task_queue="unit")
    assert result == {"result": 8, "named": ["nobody"], "days": 30}


async def test_signal_and_query_reach_a_running_workflow_and_a_closed_one(env: Any) -> None:
    handle = await env.client.start_workflow(Patient.run, 1, id="p", task_queue="unit")
    await handle.signal(Patient.name, "ann")
    assert await handle.result() == {"result": 2, "named": ["ann"], "days": 0}
    assert await handle.query(Patient.names) == ["ann"]


async def test_failure_carries_the_chain_of_causes(env: Any) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await env.client.execute_workflow(Patient.run, -1, id="p", task_queue="unit")
    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, ApplicationError)
    assert failed.value.cause.cause.type == "Negative"


async def test_cancellation_ends_a_waiting_workflow(env: Any) -> None:
    handle = await env.client.start_workflow(Patient.run, 1, id="p", task_queue="unit")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, CancelledError)


async def test_activity_runs_alone_in_its_environment() -> None:
    assert await ActivityEnvironment().run(double, 3) == 6


async def test_host_name_is_accepted_and_the_notice_says_where_data_goes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RESONATE_URL", "memory:")
    with caplog.at_level(logging.WARNING, logger="compat.temporal"):
        client = await Client.connect("localhost:7233", namespace="shop")
    assert client.namespace == "shop"
    assert "'localhost:7233' is ignored, everything is kept in memory:" in caplog.text


def test_url_is_taken_as_it_is() -> None:
    assert [store_url(url) for url in ("memory:", "sqlite:///x.db")] == ["memory:", "sqlite:///x.db"]


async def test_feature_that_resonate_lacks_is_refused_by_name() -> None:
    client = await Client.connect("memory:")
    with pytest.raises(UnsupportedFeatureError, match="get_worker_task_reachability"):
        await client.get_worker_task_reachability(build_ids=["a"])
    with pytest.raises(UnsupportedFeatureError, match="max_task_queue_activities_per_second"):
        Worker(client, task_queue="q", activities=[double], max_task_queue_activities_per_second=1)
