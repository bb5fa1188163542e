"""Migrated workflows and steps on the shim: one worker, one client, both kinds of workflows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError as ActivityFailed

from compat.temporal.client import WorkflowFailureError, WorkflowUpdateStage
from compat.temporal.migrated import is_known_name
from compat.temporal.testing import WorkflowEnvironment
from compat.temporal.worker import UnsandboxedWorkflowRunner, Worker
from resonate_core import (
    ApplicationError,
    Backoff,
    Context,
    durable,
    entry,
    heartbeat,
    query,
    signal,
    step,
    step_info,
    update,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator


@dataclass
class Order:
    id: str
    amount: int


@step(name="charge", retry_policy=Backoff(1, max_delay=100))
async def charge(order: Order) -> str:
    heartbeat("begun")
    if order.amount < 0:
        raise ApplicationError("negative", "detail", type="Negative", non_retryable=True)
    return f"{order.id} paid {order.amount} in attempt {step_info().attempt}"


@step(name="notify", retry_policy=Backoff(0.01, max_attempts=3))
@activity.defn(name="notify")
async def notify(order: Order) -> str:
    activity.heartbeat("begun")
    about = activity.info()
    if about.attempt == 1:
        raise ActivityFailed("not yet", type="NotYet")
    if order.amount < 0:
        raise ActivityFailed("negative", "detail", type="Negative", non_retryable=True)
    return f"{about.workflow_id} {about.activity_type} {about.attempt} {about.heartbeat_details} {about.task_queue}"


@durable(name="Notice")
def notice(ctx: Context, order: Order) -> Generator[Any, Any, str]:
    try:
        return (yield ctx.run(notify, order))
    except ApplicationError as error:
        return f"{error.type} {error.message} {error.details}"


@durable(name="Pay")
def pay(ctx: Context, order: Order) -> Generator[Any, Any, str]:
    receipt = yield ctx.run(charge, order)
    yield ctx.sleep(3600)
    return str(receipt)


@durable(name="Approval")
class Approval:
    def __init__(self) -> None:
        self.by: Order | None = None

    @entry
    def run(self, ctx: Context, order: Order) -> Generator[Any, Any, str]:
        yield ctx.run(charge, order)
        yield ctx.wait_until(lambda: self.by is not None, timeout=86_400)
        assert self.by is not None
        return self.by.id

    @signal
    def approve(self, by: Order) -> None:
        self.by = Order(by.id, by.amount)

    @query
    def status(self) -> str:
        return "approved" if self.by else "waiting"

    @query
    def is_enough(self, order: Order) -> bool:
        return order.amount > 3

    @update
    def rename(self, by: Order) -> Order:
        self.by = Order(by.id.upper(), by.amount)
        return self.by


@workflow.defn(name="Old")
class Old:
    @workflow.run
    async def run(self, order: Order) -> str:
        receipt = await workflow.execute_activity(charge, order, start_to_close_timeout=timedelta(seconds=10))
        child = await workflow.execute_child_workflow(pay, order, id=f"{order.id}/child")
        return f"{receipt}; {child}"


@pytest.fixture
async def env() -> AsyncIterator[Any]:
    async with await WorkflowEnvironment.start_time_skipping() as made:
        runner = UnsandboxedWorkflowRunner()
        flows = [Old, pay, Approval, notice]
        steps = [charge, notify]
        async with Worker(made.client, task_queue="unit", workflows=flows, activities=steps, workflow_runner=runner):
            yield made


@pytest.fixture
async def approval(env: Any) -> Any:
    return await env.client.start_workflow(Approval.run, Order("a", 5), id="approval", task_queue="unit")


async def test_migrated_function_is_started_by_reference_and_by_name(env: Any) -> None:
    for flow in (pay, "Pay"):
        result = await env.client.execute_workflow(flow, Order("a", 5), id=f"p-{flow}", task_queue="unit")
        assert result == "a paid 5 in attempt 1"


async def test_migrated_class_takes_a_signal_with_the_type_of_its_annotation(approval: Any) -> None:
    assert await approval.query(Approval.status) == "waiting"
    await approval.signal(Approval.approve, Order("ann", 1))
    assert await approval.result() == "ann"
    assert await approval.query("status") == "approved"


async def test_migrated_class_answers_a_query_with_the_type_of_its_annotation(approval: Any) -> None:
    assert await approval.query(Approval.is_enough, Order("ann", 4)) is True


async def test_migrated_class_answers_an_update_with_the_type_of_its_annotation(approval: Any) -> None:
    assert await approval.execute_update(Approval.rename, Order("ann", 1)) == Order("ANN", 1)
    assert await approval.result() == "ANN"


async def test_migrated_class_accepts_an_update_that_is_only_started(approval: Any) -> None:
    started = await approval.start_update(
        Approval.rename, Order("ann", 1), wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    assert await started.result() == Order("ANN", 1)


async def test_query_of_a_client_that_has_not_imported_the_workflow_is_answered(
    approval: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compat.temporal.connection.is_known_name", lambda _: False)
    monkeypatch.setattr("compat.temporal.connection._UNANSWERED_S", 0.0)
    assert await approval.query("status") == "waiting"


async def test_unknown_query_of_a_migrated_class_is_refused(approval: Any) -> None:
    with pytest.raises(Exception, match="no query 'color'"):
        await approval.query("color")


async def test_error_of_a_migrated_workflow_is_the_cause_of_the_failure(env: Any) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await env.client.execute_workflow(pay, Order("a", -1), id="p", task_queue="unit")
    assert (failed.value.cause.type, failed.value.cause.message) == ("Negative", "negative")  # type: ignore[attr-defined]


async def test_migrated_workflow_is_cancelled_and_terminated_by_the_client(env: Any) -> None:
    for number, end in enumerate(("cancel", "terminate")):
        handle = await env.client.start_workflow(Approval.run, Order("a", 5), id=f"e{number}", task_queue="unit")
        await getattr(handle, end)()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        assert (await handle.describe()).status.name.startswith(end.upper()[:6])


async def test_workflow_of_the_shim_calls_a_step_and_a_migrated_child(env: Any) -> None:
    result = await env.client.execute_workflow(Old.run, Order("a", 5), id="old", task_queue="unit")
    assert result == "a paid 5 in attempt 1; a paid 5 in attempt 1"


async def test_error_of_a_step_reaches_a_workflow_of_the_shim_with_its_type(env: Any) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await env.client.execute_workflow(Old.run, Order("a", -1), id="old", task_queue="unit")
    cause: Any = failed.value.cause.__cause__
    assert (cause.type, cause.non_retryable, list(cause.details)) == ("Negative", True, ["detail"])


async def test_activity_that_stays_runs_as_a_step_in_a_context_of_its_own(env: Any) -> None:
    result = await env.client.execute_workflow(notice, Order("n", 1), id="n", task_queue="unit")
    assert result == "n notify 2 ['begun'] unit"


async def test_error_of_an_activity_that_stays_is_caught_by_its_type(env: Any) -> None:
    result = await env.client.execute_workflow(notice, Order("n", -1), id="n", task_queue="unit")
    assert result == "Negative negative ('detail',)"


async def test_mock_of_an_activity_takes_the_place_of_the_step(env: Any) -> None:
    @activity.defn(name="charge")
    async def mock(order: Order) -> str:
        return f"mocked {order.id}"

    async with Worker(env.client, task_queue="mocked", workflows=[pay], activities=[mock]):
        result = await env.client.execute_workflow(pay, Order("m", 1), id="m", task_queue="mocked")
    assert result == "mocked m"


async def test_worker_with_migrated_workflows_alone_is_a_worker(env: Any) -> None:
    async with Worker(env.client, task_queue="alone", workflows=[pay]):
        result = await env.client.execute_workflow(pay, Order("s", 1), id="s", task_queue="alone")
    assert result == "s paid 1 in attempt 1"


def test_names_of_migrated_workflows_are_known_once_they_are_imported() -> None:
    assert is_known_name("Approval")
    assert not is_known_name("Old")
