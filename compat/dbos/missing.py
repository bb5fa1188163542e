"""What DBOS has and this shim has not yet: refused by name, never accepted and ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIGRATED: Final = "migrate the workflow: resonate-migrate --from dbos"
_LIMITS: Final = "a queue's limits are those of its Queue(...) in the code"
_TRANSACTION: Final = "make a SQLAlchemyDatasource.create(url), and use its transaction() and sql_session()"
_VERSIONS: Final = "executions wait for code that fits; there are no versions of an application"
_DATABASE: Final = "there is no database of DBOS; set RESONATE_URL"
_PICKLE: Final = "leave it out: values are stored as Resonate stores them"
_SHARDS: Final = "leave it out: there are no shards"
_TREE: Final = "see the steps with the runtime: resonate.tree(id)"
_AGAIN: Final = "start the workflow again with a new id"

_DONE: Final[Mapping[str, tuple[str, ...]]] = {
    _LIMITS: ("listen_queues", "delete_queue", "set_workflow_delay"),
    _TRANSACTION: ("AsyncSQLAlchemyDatasource",),
    _VERSIONS: (
        "patch",
        "deprecate_patch",
        "get_latest_application_version",
        "set_latest_application_version",
        "list_application_versions",
        "VersionInfo",
    ),
    _DATABASE: ("migrate", "reset_system_database", "run_dbos_database_migrations"),
    _PICKLE: (
        "Serializer",
        "DBOSPortableJSONSerializer",
        "WorkflowSerializationFormat",
        "PortableWorkflowError",
        "pydantic_args_validator",
        "make_pydantic_args_validator",
    ),
    _SHARDS: ("SetShardKey", "shard_key"),
    _TREE: ("list_workflow_steps", "StepInfo"),
    _AGAIN: (
        "fork_workflow",
        "resume_workflow",
        "resume_workflows",
        "rewind_workflow",
        "delete_workflow",
        "delete_workflows",
    ),
    "call DBOS.run_step_async where the step shall be counted": ("reserve_step", "StepReservation"),
    "create schedules with DBOS.apply_schedules": ("ClientScheduleInput",),
    "pass a tracer to Resonate(tracer=...)": ("tracer", "PropagateOtelContext"),
    "keep what describes a workflow in its arguments": ("update_workflow_attributes",),
    _MIGRATED: ("kafka_consumer", "KafkaMessage", "alert_handler"),
}
#: Name in DBOS -> the nearest thing that works; coroutine twins with the names that they are twins of.
INSTEAD: Final[Mapping[str, str]] = {
    twin: instead for instead, names in _DONE.items() for name in names for twin in (name, f"{name}_async")
}


def refuse_name(name: str) -> NoReturn:
    """Refuse a name.

    Raises:
        UnsupportedFeatureError: DBOS has it.
        AttributeError: nobody has it.
    """
    if name in INSTEAD:
        raise UnsupportedFeatureError(f"DBOS.{name}", INSTEAD[name])
    raise AttributeError(f"DBOS has no {name!r}")


def refuse_arguments(what: str, unknown: Mapping[str, Any]) -> None:
    """Refuse arguments that would change what a program does.

    Raises:
        UnsupportedFeatureError: naming the first.
    """
    for name, value in unknown.items():
        if value not in (None, False):
            raise UnsupportedFeatureError(f"{what}({name}={value!r})", "leave it out")
