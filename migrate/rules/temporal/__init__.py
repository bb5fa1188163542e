"""The Temporal rules: ``SOURCE`` is what the engine works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.index.project import Project
    from migrate.plan.job import Job
    from migrate.plan.survey import Survey

#: What the SDK's calls and attributes give back.
TYPES: Final[Mapping[str, str]] = {
    "temporalio.client.Client.connect()": "temporalio.client.Client",
    "temporalio.client.Client.start_workflow()": "temporalio.client.WorkflowHandle",
    "temporalio.client.Client.get_workflow_handle()": "temporalio.client.WorkflowHandle",
    "temporalio.client.Client.get_workflow_handle_for()": "temporalio.client.WorkflowHandle",
    "temporalio.client.WorkflowHandle.describe()": "temporalio.client.WorkflowExecutionDescription",
    "temporalio.testing.WorkflowEnvironment.start_local()": "temporalio.testing.WorkflowEnvironment",
    "temporalio.testing.WorkflowEnvironment.start_time_skipping()": "temporalio.testing.WorkflowEnvironment",
    "temporalio.testing.WorkflowEnvironment.client": "temporalio.client.Client",
    "temporalio.workflow.start_activity()": "temporalio.workflow.ActivityHandle",
    "temporalio.workflow.start_activity_method()": "temporalio.workflow.ActivityHandle",
    "temporalio.workflow.start_local_activity()": "temporalio.workflow.ActivityHandle",
    "temporalio.workflow.start_child_workflow()": "temporalio.workflow.ChildWorkflowHandle",
    "temporalio.workflow.get_external_workflow_handle()": "temporalio.workflow.ExternalWorkflowHandle",
    "temporalio.workflow.get_external_workflow_handle_for()": "temporalio.workflow.ExternalWorkflowHandle",
    "temporalio.activity.info()": "temporalio.activity.Info",
    "await temporalio.workflow.ActivityHandle": "",
    "await temporalio.workflow.ChildWorkflowHandle": "call",
    "await asyncio.Task": "",
    "asyncio.create_task()": "asyncio.Task",
    "asyncio.ensure_future()": "asyncio.Task",
    "asyncio.TaskGroup.create_task()": "asyncio.Task",
}


@dataclass(frozen=True)
class TemporalSource:
    """Everything about the Temporal SDK."""

    name: str = "temporal"
    packages: tuple[str, ...] = ("temporalio",)
    types: Mapping[str, str] = field(default_factory=lambda: TYPES)

    def survey(self, project: Project) -> Survey:
        """Find units, links, sites and needs."""
        from migrate.rules.temporal.survey import survey  # noqa: PLC0415 - ``explain`` need not load all rules

        return survey(project)

    def edit(self, job: Job) -> None:
        """Record the edits for the units that convert."""
        from migrate.rules.temporal.draft import edit  # noqa: PLC0415 - ``explain`` need not load all rules

        edit(job)


SOURCE: Final = TemporalSource()
