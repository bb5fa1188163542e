"""What DBOS has and this shim has not yet: refused by name, never accepted and ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIGRATED: Final = "migrate the workflow: resonate-migrate --from dbos"
_QUEUE: Final = "start workflows directly, and limit a fan-out with ctx.gather(limit=...) after migrating"
_TRANSACTION: Final = "use a step, and make it safe to repeat with a marker row in the same database transaction"

#: Name in DBOS -> the nearest thing that works.
INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("listen_queues", "delete_queue", "set_workflow_delay"), _QUEUE),
    **dict.fromkeys(("Debouncer", "DebouncerClient", "EnqueueOptions"), _QUEUE),
    **dict.fromkeys(("transaction", "sql_session", "SQLAlchemyDatasource"), _TRANSACTION),
    **dict.fromkeys(
        ("DBOSClient", "fork_workflow", "resume_workflow", "delete_workflow", "patch", "span"),
        _MIGRATED,
    ),
    **dict.fromkeys(("deprecate_patch", "write_stream", "read_stream", "close_stream", "kafka_consumer"), _MIGRATED),
    **dict.fromkeys(("send_bulk", "required_roles", "set_authentication", "alert_handler"), _MIGRATED),
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
