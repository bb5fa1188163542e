"""DBOS's names on Resonate: the same program, no DBOS runtime and no database of its own."""

from __future__ import annotations

from compat.dbos import error
from compat.dbos.client import DBOSClient
from compat.dbos.config import DBOSConfig
from compat.dbos.context import SetWorkflowAttributes, SetWorkflowID, SetWorkflowTimeout
from compat.dbos.datasource import SQLAlchemyDatasource
from compat.dbos.dbos import DBOS
from compat.dbos.debouncing import Debouncer, DebouncerClient
from compat.dbos.functions import DBOSConfiguredInstance
from compat.dbos.handles import WorkflowHandle, WorkflowHandleAsync
from compat.dbos.missing import INSTEAD
from compat.dbos.names import DuplicationPolicy, StepOptions, WorkflowIDReusePolicy, WorkflowStatusString
from compat.dbos.queues import EnqueueOptions, Queue, SetEnqueueOptions
from compat.dbos.roles import DBOSContextEnsure, DBOSContextSetAuth
from compat.dbos.scheduling import ScheduleInput, WorkflowSchedule
from compat.dbos.statuses import WorkflowStatus
from compat.dbos.talking import SendMessage
from compat.unsupported import UnsupportedFeatureError


def __getattr__(name: str) -> object:
    """Refuse what DBOS has and the shim has not, by name."""
    if name in INSTEAD:
        raise UnsupportedFeatureError(name, INSTEAD[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DBOS",
    "DBOSClient",
    "DBOSConfig",
    "DBOSConfiguredInstance",
    "DBOSContextEnsure",
    "DBOSContextSetAuth",
    "Debouncer",
    "DebouncerClient",
    "DuplicationPolicy",
    "EnqueueOptions",
    "Queue",
    "SQLAlchemyDatasource",
    "ScheduleInput",
    "SendMessage",
    "SetEnqueueOptions",
    "SetWorkflowAttributes",
    "SetWorkflowID",
    "SetWorkflowTimeout",
    "StepOptions",
    "WorkflowHandle",
    "WorkflowHandleAsync",
    "WorkflowIDReusePolicy",
    "WorkflowSchedule",
    "WorkflowStatus",
    "WorkflowStatusString",
    "error",
]
