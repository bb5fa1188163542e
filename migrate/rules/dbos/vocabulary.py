"""Every name of DBOS that the rules know, and what its calls give back. 2.x and 3.x side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE: Final = "dbos"

DBOS: Final = "dbos.DBOS"
WORKFLOW: Final = "dbos.DBOS.workflow"
STEP: Final = "dbos.DBOS.step"
TRANSACTION: Final = "dbos.DBOS.transaction"
SCHEDULED: Final = "dbos.DBOS.scheduled"
#: Calls that take workflows as values and serve rewritten ones as well, on the shim.
SCHEDULING: Final = frozenset(
    f"dbos.DBOS.{verb}{twin}" for verb in ("apply_schedules", "create_schedule") for twin in ("", "_async")
)
DEBOUNCER: Final = "dbos.Debouncer"
DEBOUNCING: Final = frozenset({DEBOUNCER, f"{DEBOUNCER}.create", f"{DEBOUNCER}.create_async"})
INSTANCE: Final = "dbos.DBOSConfiguredInstance"
DBOS_CLASS: Final = "dbos.DBOS.dbos_class"

RUN_STEP: Final = frozenset({"dbos.DBOS.run_step", "dbos.DBOS.run_step_async"})
START: Final = frozenset({"dbos.DBOS.start_workflow", "dbos.DBOS.start_workflow_async"})
SLEEP: Final = frozenset({"dbos.DBOS.sleep", "dbos.DBOS.sleep_async"})
RECV: Final = frozenset({"dbos.DBOS.recv", "dbos.DBOS.recv_async"})
SEND: Final = frozenset({"dbos.DBOS.send", "dbos.DBOS.send_async"})
SET_EVENT: Final = frozenset({"dbos.DBOS.set_event", "dbos.DBOS.set_event_async"})
GET_EVENT: Final = frozenset({"dbos.DBOS.get_event", "dbos.DBOS.get_event_async"})
RETRIEVE: Final = frozenset({"dbos.DBOS.retrieve_workflow", "dbos.DBOS.retrieve_workflow_async"})
CANCEL: Final = frozenset({"dbos.DBOS.cancel_workflow", "dbos.DBOS.cancel_workflow_async"})

LAUNCH: Final = "dbos.DBOS.launch"
DESTROY: Final = "dbos.DBOS.destroy"
RESET: Final = "dbos.DBOS.reset_system_database"
LOGGER: Final = "dbos.DBOS.logger"
SPAN: Final = "dbos.DBOS.span"
WORKFLOW_ID: Final = "dbos.DBOS.workflow_id"

SET_WORKFLOW_ID: Final = "dbos.SetWorkflowID"
SET_TIMEOUT: Final = "dbos.SetWorkflowTimeout"
SET_ENQUEUE_OPTIONS: Final = "dbos.SetEnqueueOptions"
CONFIG: Final = "dbos.DBOSConfig"

HANDLE: Final = "dbos.WorkflowHandle"
ASYNC_HANDLE: Final = "dbos.WorkflowHandleAsync"
HANDLES: Final = frozenset({HANDLE, ASYNC_HANDLE})

#: What calls and attributes give back, so that ``handle.get_result`` is known under any variable's name.
TYPES: Final[Mapping[str, str]] = {
    **{f"{name}()": ASYNC_HANDLE if name.endswith("_async") else HANDLE for name in START | RETRIEVE},
    "dbos.DBOS.enqueue_workflow()": HANDLE,
    "dbos.DBOS.enqueue_workflow_async()": ASYNC_HANDLE,
    "dbos.Queue.enqueue()": HANDLE,
    "dbos.Queue.enqueue_async()": ASYNC_HANDLE,
    "dbos.DBOS.register_queue()": "dbos.Queue",
    "dbos.DBOS.register_queue_async()": "dbos.Queue",
    "dbos.SQLAlchemyDatasource.create()": "dbos.SQLAlchemyDatasource",
    "dbos.Debouncer.create()": DEBOUNCER,
    "dbos.Debouncer.create_async()": DEBOUNCER,
}

#: Decorators that give a function to an HTTP framework, by the framework's class.
ROUTERS: Final = frozenset(
    {
        "fastapi.FastAPI", "fastapi.APIRouter", "fastapi.applications.FastAPI", "fastapi.routing.APIRouter",
        "flask.Flask", "flask.Blueprint", "quart.Quart",
    }
)  # fmt: skip
