"""A workflow whose code never yields fails its task, and holds up nobody else."""

from __future__ import annotations

import threading
from typing import Any

from temporalio import workflow
from temporalio.api.enums.v1 import EventType

from compat.temporal.testing import WorkflowEnvironment
from compat.temporal.worker import UnsandboxedWorkflowRunner, Worker

LATCH = threading.Event()


@workflow.defn
class Stuck:
    @workflow.run
    async def run(self) -> str:
        LATCH.wait()
        return "free"


@workflow.defn
class Quick:
    @workflow.run
    async def run(self) -> str:
        return "done"


async def test_stuck_workflow_fails_its_task_while_another_runs() -> None:
    LATCH.clear()
    async with await WorkflowEnvironment.start_local() as env:
        runner = UnsandboxedWorkflowRunner()
        made = Worker(env.client, task_queue="d", workflows=[Stuck, Quick], workflow_runner=runner)
        half: Any = made._workflow_worker
        half._deadlock_timeout_seconds = 0.02
        async with made:
            stuck = await env.client.start_workflow(Stuck.run, id="s", task_queue="d")
            assert await env.client.execute_workflow(Quick.run, id="q", task_queue="d") == "done"
            last = (await stuck.fetch_history()).events[-1]
            assert last.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
            assert "TMPRL1101" in last.workflow_task_failed_event_attributes.failure.message
            LATCH.set()
