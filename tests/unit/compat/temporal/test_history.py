"""Histories: Temporal's events in Temporal's order, which temporalio's own core replays."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from compat.temporal import ids
from compat.temporal.testing import WorkflowEnvironment
from compat.temporal.worker import UnsandboxedWorkflowRunner, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECONDS = timedelta(seconds=5)


@activity.defn
async def halve(number: int) -> int:
    return number // 2


@workflow.defn
class Leaf:
    @workflow.run
    async def run(self) -> str:
        return str(workflow.uuid4())


@workflow.defn
class Tour:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> int:
        workflow.patched("second-version")
        half = await workflow.execute_activity(halve, 8, start_to_close_timeout=SECONDS)
        await asyncio.sleep(0.001)
        await workflow.execute_child_workflow(Leaf.run)
        quarter = await workflow.execute_local_activity(halve, half, start_to_close_timeout=SECONDS)
        await workflow.wait_condition(lambda: len(self.heard) == 2)
        return quarter

    @workflow.signal
    def hear(self, word: str) -> None:
        self.heard.append(word)

    @workflow.update
    async def tell(self, word: str) -> int:
        self.heard.append(word)
        return len(self.heard)


@workflow.defn
class Count:
    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return "over"


def names(history: WorkflowHistory) -> list[str]:
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]


@pytest.fixture
async def env() -> AsyncIterator[Any]:
    async with await WorkflowEnvironment.start_local() as made:
        yield made


def worker(env: Any) -> Worker:
    runner = UnsandboxedWorkflowRunner()
    return Worker(env.client, task_queue="h", workflows=[Tour, Leaf, Count], activities=[halve], workflow_runner=runner)


async def test_history_of_a_workflow_with_everything_is_replayed_by_the_core(env: Any) -> None:
    async with worker(env):
        handle = await env.client.start_workflow(Tour.run, id="t", task_queue="h")
        await handle.signal(Tour.hear, "one")
        await handle.execute_update(Tour.tell, "two")
        assert await handle.result() == 2
    told = (await handle.fetch_history()).to_json()
    result = await Replayer(workflows=[Tour], workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(
        WorkflowHistory.from_json("t", told)
    )
    assert result.replay_failure is None
    found = names(result.history)
    assert found[0] == "WORKFLOW_EXECUTION_STARTED"
    assert found[-1] == "WORKFLOW_EXECUTION_COMPLETED"
    assert found.count("MARKER_RECORDED") == 2
    order = ["ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_COMPLETED", "TIMER_STARTED", "TIMER_FIRED",
             "START_CHILD_WORKFLOW_EXECUTION_INITIATED", "CHILD_WORKFLOW_EXECUTION_COMPLETED"]  # fmt: skip
    assert [name for name in found if name in order] == order


async def test_history_of_one_run_of_a_chain_ends_where_the_next_begins(env: Any) -> None:
    async with worker(env):
        handle = await env.client.start_workflow(Count.run, 1, id="c", task_queue="h")
        assert await handle.result() == "over"
        first = await env.client.get_workflow_handle("c", run_id=handle.first_execution_run_id).fetch_history()
        second = await env.client.get_workflow_handle("c").fetch_history()
    assert names(first)[-1] == "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    following = first.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    started = second.events[0].workflow_execution_started_event_attributes
    assert (started.original_execution_run_id, started.continued_execution_run_id) == (
        following,
        handle.first_execution_run_id,
    )


def test_seed_of_a_run_is_the_hash_that_the_core_takes() -> None:
    assert ids.siphash(b"") == 0xD1FBA762150C532C
    assert ids.siphash(bytes(range(8))) == ids.siphash(bytes(range(8)))
    assert ids.siphash(b"run\xff") != ids.siphash(b"run")
