"""Updates with start: what comes back where the workflow runs already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from temporalio import workflow
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from compat.temporal.client import WithStartWorkflowOperation
from compat.temporal.testing import WorkflowEnvironment
from compat.temporal.worker import UnsandboxedWorkflowRunner, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@workflow.defn
class Till:
    def __init__(self) -> None:
        self.total = 0
        self.closed = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.closed)
        return self.total

    @workflow.update
    def pay(self, amount: int) -> int:
        self.total += amount
        return self.total

    @workflow.signal
    def close(self) -> None:
        self.closed = True


@pytest.fixture
async def till_client() -> AsyncIterator[Any]:
    async with await WorkflowEnvironment.start_time_skipping() as made:
        runner = UnsandboxedWorkflowRunner()
        async with Worker(made.client, task_queue="tills", workflows=[Till], workflow_runner=runner):
            yield made.client


def _start(reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE) -> Any:
    policy = WorkflowIDConflictPolicy.FAIL
    return WithStartWorkflowOperation(
        Till.run, id="till", task_queue="tills", id_conflict_policy=policy, id_reuse_policy=reuse
    )


async def _pay(client: Any, amount: int, update_id: str, start: Any) -> Any:
    return await client.execute_update_with_start_workflow(
        Till.pay, amount, id=update_id, start_workflow_operation=start
    )


async def test_update_with_start_of_a_running_workflow_raises_already_started(till_client: Any) -> None:
    assert await _pay(till_client, 5, "one", _start()) == 5
    again = _start()
    with pytest.raises(WorkflowAlreadyStartedError):
        await _pay(till_client, 5, "two", again)
    with pytest.raises(WorkflowAlreadyStartedError):
        await again.workflow_handle()


async def test_update_with_start_sent_again_by_its_id_pays_once(till_client: Any) -> None:
    assert await _pay(till_client, 5, "one", _start()) == 5
    assert await _pay(till_client, 5, "one", _start()) == 5
    handle = till_client.get_workflow_handle_for(Till.run, "till")
    await handle.signal(Till.close)
    assert await handle.result() == 5
    assert await _pay(till_client, 5, "one", _start(WorkflowIDReusePolicy.REJECT_DUPLICATE)) == 5
