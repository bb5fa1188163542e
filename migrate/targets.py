"""Every name that migrated code may use, and the tier that using it means.

The codemod emits nothing else. A test resolves each name against the runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.findings import Tier

#: Names imported from the runtime, with the tier of code that needs them.
MODULE: Final = "resonate_core"
EXPORTS: Final[Mapping[str, Tier]] = {
    "Resonate": "idiomatic",
    "Context": "idiomatic",
    "Handle": "idiomatic",
    "Promise": "idiomatic",
    "durable": "idiomatic",
    "step": "idiomatic",
    "Backoff": "idiomatic",
    "Never": "idiomatic",
    "Queue": "helper",
    "SQLAlchemyDatasource": "helper",
    "entry": "helper",
    "signal": "helper",
    "query": "helper",
    "update": "helper",
    "ApplicationError": "helper",
    "StepError": "helper",
    "ChildError": "helper",
    "AlreadyStartedError": "helper",
    "Cancelled": "helper",
    "ContinueAsNew": "helper",
    "heartbeat": "helper",
    "step_info": "helper",
    "in_step": "helper",
    "StepInfo": "helper",
    "step_logger": "helper",
}

#: Names of other modules that migrated code needs.
OTHERS: Final[Mapping[str, str]] = {"Generator": "collections.abc", "Any": "typing"}

#: Attributes of a ``Context``.
CONTEXT: Final[Mapping[str, Tier]] = {
    "run": "idiomatic",
    "begin_run": "idiomatic",
    "rpc": "idiomatic",
    "begin_rpc": "idiomatic",
    "detached": "idiomatic",
    "promise": "idiomatic",
    "sleep": "idiomatic",
    "id": "idiomatic",
    "info": "idiomatic",
    "logger": "idiomatic",
    "time": "idiomatic",
    "random": "idiomatic",
    "get_dependency": "idiomatic",
    "begin_sleep": "helper",
    "select": "helper",
    "gather": "helper",
    "wait_until": "helper",
    "drain": "helper",
    "recv": "helper",
    "send": "helper",
    "signal": "helper",
    "cancel": "helper",
    "set_event": "helper",
    "get_event": "helper",
    "enqueue": "helper",
    "continue_as_new": "helper",
    "now": "helper",
    "uuid4": "helper",
    "rng": "helper",
    "shielded": "helper",
    "all_handlers_finished": "helper",
}

#: Attributes of a ``Resonate``; the same names exist under ``aio``.
CLIENT: Final = frozenset(
    {
        "aio", "begin_rpc", "begin_run", "cancel", "describe", "enqueue", "get", "get_event", "list", "options",
        "promises", "query", "register", "register_all", "rpc", "run", "schedule", "schedules", "send", "serve",
        "signal", "signal_with_start", "start", "stop", "terminate", "update",
    }
)  # fmt: skip

#: Attributes of a ``Handle``.
HANDLE: Final = frozenset(
    {"aio", "cancel", "describe", "done", "id", "query", "result", "signal", "terminate", "update"}
)

#: Keyword arguments of ``.options`` on a command of a ``Context``.
COMMAND_OPTIONS: Final = frozenset(
    {
        "attempt_timeout", "delay", "errors", "heartbeat_timeout", "id", "parent_close", "partition", "priority",
        "queue", "retry_policy", "schedule_to_start_timeout", "target", "timeout",
    }
)  # fmt: skip

#: Keyword arguments of ``Resonate.options``.
CLIENT_OPTIONS: Final = frozenset({"delay", "if_exists", "partition", "priority", "target", "timeout"})

#: Keyword arguments of the marks and of ``Backoff``.
STEP_OPTIONS: Final = frozenset({"attempt_timeout", "errors", "heartbeat_timeout", "name", "retry_policy"})
DURABLE_OPTIONS: Final = frozenset({"name", "version"})
BACKOFF_OPTIONS: Final = frozenset({"factor", "initial", "max_attempts", "max_delay", "non_retryable"})


@dataclass(frozen=True)
class Shim:
    """A drop-in for an SDK.

    Attributes:
        package: import name of the SDK.
        target: import name of the shim.
        modules: modules of the SDK that the shim mirrors, below the package; None if it mirrors every one.
        refused: dotted names, of modules or of things in them, that cannot work without the original's server.
        raising: dotted names that the shim has and that raise when they are used, each with all that is in them.
        served: exceptions from ``raising``.
        raising_options: keyword arguments of the SDK's calls that raise.
    """

    package: str
    target: str
    modules: frozenset[str] | None
    refused: frozenset[str] = frozenset()
    raising: frozenset[str] = frozenset()
    served: frozenset[str] = frozenset()
    raising_options: frozenset[str] = frozenset()

    def raises(self, name: str) -> bool:
        """Tell whether using a name raises on the shim."""
        parts = name.split(".")
        prefixes = {".".join(parts[:length]) for length in range(2, len(parts) + 1)}
        return bool(prefixes & self.raising) and not prefixes & self.served

    def has(self, module: str) -> bool:
        """Tell whether the shim mirrors a module of the SDK."""
        if self.refuses(module):
            return False
        return module == self.package or self.modules is None or module.removeprefix(f"{self.package}.") in self.modules

    def refuses(self, name: str) -> bool:
        """Tell whether a name, or what it is a part of, is refused."""
        parts = name.split(".")
        return any(".".join(parts[:length]) in self.refused for length in range(2, len(parts) + 1))

    def moved(self, module: str) -> str:
        """Return the shim's name for a module of the SDK."""
        return self.target + module.removeprefix(self.package)


#: What ``compat.dbos`` refuses by name: of the module, of ``DBOS``, of its client.
DBOS_REFUSED: Final = frozenset(
    {
        "AsyncSQLAlchemyDatasource", "AsyncSQLAlchemyDatasource_async", "ClientScheduleInput",
        "ClientScheduleInput_async", "DBOSPortableJSONSerializer", "DBOSPortableJSONSerializer_async",
        "KafkaMessage", "KafkaMessage_async", "PortableWorkflowError", "PortableWorkflowError_async",
        "PropagateOtelContext", "PropagateOtelContext_async", "Serializer", "Serializer_async", "SetShardKey",
        "SetShardKey_async", "StepInfo", "StepInfo_async", "StepReservation", "StepReservation_async",
        "VersionInfo", "VersionInfo_async", "WorkflowSerializationFormat", "WorkflowSerializationFormat_async",
        "alert_handler", "alert_handler_async", "delete_queue", "delete_queue_async", "delete_workflow",
        "delete_workflow_async", "delete_workflows", "delete_workflows_async", "deprecate_patch",
        "deprecate_patch_async", "fork_workflow", "fork_workflow_async", "get_latest_application_version",
        "get_latest_application_version_async", "kafka_consumer", "kafka_consumer_async",
        "list_application_versions", "list_application_versions_async", "list_workflow_steps",
        "list_workflow_steps_async", "listen_queues", "listen_queues_async", "make_pydantic_args_validator",
        "make_pydantic_args_validator_async", "migrate", "migrate_async", "patch", "patch_async",
        "pydantic_args_validator", "pydantic_args_validator_async", "reserve_step", "reserve_step_async",
        "reset_system_database", "reset_system_database_async", "resume_workflow", "resume_workflow_async",
        "resume_workflows", "resume_workflows_async", "rewind_workflow", "rewind_workflow_async",
        "run_dbos_database_migrations", "run_dbos_database_migrations_async", "set_latest_application_version",
        "set_latest_application_version_async", "set_workflow_delay", "set_workflow_delay_async", "shard_key",
        "shard_key_async", "tracer", "tracer_async", "update_workflow_attributes",
        "update_workflow_attributes_async"
    }
)  # fmt: skip

#: Of these, what looks after workflows from outside: a program does its work without them.
DBOS_RAISING: Final = frozenset(
    name
    for name in DBOS_REFUSED
    if name.removesuffix("_async")
    in {
        "delete_queue", "delete_workflow", "delete_workflows", "fork_workflow",
        "get_latest_application_version", "list_application_versions", "list_workflow_steps", "resume_workflow",
        "resume_workflows", "rewind_workflow", "set_workflow_delay", "update_workflow_attributes",
    }
)  # fmt: skip
_DBOS_OWNERS: Final = ("dbos", "dbos.DBOS", "dbos.DBOSClient")

#: Shims by source. What is not listed stays on the original SDK.
SHIMS: Final[Mapping[str, Shim]] = {
    "temporal": Shim(
        "temporalio",
        "compat.temporal",
        None,  # what the shim does not replace it passes on, whatever its name
        frozenset(
            {
                "temporalio.contrib.nexus", "temporalio.nexus", "temporalio.bridge",
                "temporalio.worker.ExecuteNexusOperationStartInput",
                "temporalio.worker.NexusOperationInboundInterceptor",
                "temporalio.workflow.NexusClient", "temporalio.workflow.NexusOperationCancellationType",
                "temporalio.workflow.NexusOperationHandle", "temporalio.workflow.create_nexus_client",
            }
        ),
        raising=frozenset(
            {
                "temporalio.client.Client.cloud_service", "temporalio.client.Client.operator_service",
                "temporalio.client.Client.get_worker_build_id_compatibility",
                "temporalio.client.Client.get_worker_task_reachability",
                "temporalio.client.Client.update_worker_build_id_compatibility",
                "temporalio.client.Client.workflow_service",
                "temporalio.testing.WorkflowEnvironment.start_time_skipping_v2",
            }
        ),
        served=frozenset(
            f"temporalio.client.Client.workflow_service.{call}"
            for call in (
                "count_workflow_executions", "create_schedule", "delete_schedule", "describe_namespace",
                "describe_schedule", "describe_workflow_execution", "get_system_info",
                "get_workflow_execution_history", "list_schedules",
                "list_workflow_executions", "patch_schedule", "query_workflow", "request_cancel_workflow_execution",
                "signal_with_start_workflow_execution", "signal_workflow_execution", "start_workflow_execution",
                "terminate_workflow_execution", "update_schedule", "update_workflow_execution",
            )
        ),
        raising_options=frozenset(
            {
                "deployment_config", "max_task_queue_activities_per_second", "nexus_service_handlers",
                "use_worker_versioning", "versioning_override",
            }
        ),
    ),
    "dbos": Shim(
        "dbos",
        "compat.dbos",
        frozenset({"error"}),
        frozenset(f"{owner}.{name}" for owner in _DBOS_OWNERS for name in DBOS_REFUSED - DBOS_RAISING),
        raising=frozenset(f"{owner}.{name}" for owner in _DBOS_OWNERS for name in DBOS_RAISING),
    ),
}  # fmt: skip
