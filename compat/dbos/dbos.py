"""``DBOS``: decorators, and everything that a program asks of its place."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from compat.dbos.config import check_config
from compat.dbos.context import StepPlace, step_here, workflow_here
from compat.dbos.error import DBOSException
from compat.dbos.functions import (
    StepRules,
    Workflow,
    add_step_workflow,
    add_workflow,
    scheduled,
    with_receiver,
    workflow_of,
    workflows,
)
from compat.dbos.handles import (
    WorkflowHandle,
    WorkflowHandleAsync,
    awaited_result,
    awaited_result_async,
)
from compat.dbos.managing import Managing, called_async
from compat.dbos.missing import refuse_arguments, refuse_name
from compat.dbos.queueing import Queueing
from compat.dbos.queues import queues
from compat.dbos.roles import auth_here, default_required_roles, required_roles, set_authentication
from compat.dbos.runtime import Runtime, require
from compat.dbos.scheduling import Scheduling
from compat.dbos.steps import call_step, call_step_async
from compat.dbos.streaming import Streaming
from compat.dbos.talking import Talking
from compat.dbos.transacting import ClassProperty, Transacting
from compat.dbos.web import serve_fastapi, serve_flask
from compat.unsupported import UnsupportedFeatureError

_RECOVERY_DEFAULT = 100
F = TypeVar("F", bound=Callable[..., Any])


class _Refusing(type):
    """Class of ``DBOS``: names that are missing here are refused with what to do."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse_name(name)


class DBOS(Managing, Queueing, Scheduling, Streaming, Talking, Transacting, metaclass=_Refusing):
    """Workflows and steps of DBOS, on Resonate."""

    _runtime: ClassVar[Runtime | None] = None

    def __init__(
        self, *, config: Mapping[str, Any] | None = None, fastapi: Any = None, flask: Any = None, **unknown: Any
    ) -> None:
        refuse_arguments("DBOS", unknown)
        if fastapi is not None:
            serve_fastapi(fastapi, DBOS)
        if flask is not None:
            serve_flask(flask)
        if DBOS._runtime is None:
            check_config(config or {})
            DBOS._runtime = Runtime(config or {})

    # -- life -----------------------------------------------------------------------------------------------------

    @classmethod
    def launch(cls) -> None:
        """Run what is registered, also what earlier processes have left."""
        if cls._runtime is None:
            raise DBOSException("DBOS is not configured: call DBOS(config=...) first")
        cls._runtime.launch()

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started.

        Raises:
            DBOSException: it was not called.
        """
        return require(cls._runtime)

    @classmethod
    def destroy(cls, *, destroy_registry: bool = False, workflow_completion_timeout_sec: float = 0) -> None:
        """Stop; what runs goes on in another process, or at the next launch."""
        runtime, cls._runtime = cls._runtime, None
        if runtime is not None:
            runtime.destroy(workflow_completion_timeout_sec)
        if destroy_registry:
            for registry in (workflows, scheduled, queues):
                registry.clear()

    # -- decorators -----------------------------------------------------------------------------------------------

    @classmethod
    def workflow(
        cls, *, name: str | None = None, max_recovery_attempts: int | None = _RECOVERY_DEFAULT, **unknown: Any
    ) -> Callable[[F], F]:
        """Make a function durable: it is recovered from its recorded steps, as often as it takes."""
        refuse_arguments("DBOS.workflow", unknown)
        if max_recovery_attempts not in (None, _RECOVERY_DEFAULT):
            raise UnsupportedFeatureError(
                f"DBOS.workflow(max_recovery_attempts={max_recovery_attempts})",
                "leave it out: recoveries are not counted",
            )

        def decorate(function: F) -> F:
            workflow = Workflow(
                name or function.__qualname__, function, inspect.iscoroutinefunction(function), max_recovery_attempts
            )
            add_workflow(workflow)
            if cls._runtime is not None and cls._runtime.is_launched:
                cls._runtime.register(workflow)
            return _called_workflow(workflow)  # type: ignore[return-value]

        return decorate

    @classmethod
    def step(
        cls,
        *,
        name: str | None = None,
        retries_allowed: bool = False,
        interval_seconds: float = 1.0,
        max_attempts: int = 3,
        backoff_rate: float = 2.0,
        should_retry: Callable[[BaseException], bool] | None = None,
        **unknown: Any,
    ) -> Callable[[F], F]:
        """Record what a function gives when a workflow calls it; elsewhere it is the function itself."""
        refuse_arguments("DBOS.step", unknown)

        def decorate(function: F) -> F:
            attempts = max_attempts if retries_allowed else 1
            rules = StepRules(name or function.__qualname__, attempts, interval_seconds, backoff_rate, should_retry)
            called = _called_step(rules, function)
            add_step_workflow(called, rules.name)
            return called  # type: ignore[return-value]

        return decorate

    @staticmethod
    def dbos_class(class_name: str | None = None) -> Callable[[type], type]:
        """Accepted: classes are found by their own names."""
        del class_name
        return lambda cls: cls

    @staticmethod
    def run_step(
        dbos_step_options: Mapping[str, Any] | None, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run any function as a step."""
        return call_step(_rules_of(dbos_step_options, func), func, args, kwargs)

    @staticmethod
    async def run_step_async(
        dbos_step_options: Mapping[str, Any] | None, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run any function as a step and await it."""
        return await call_step_async(_rules_of(dbos_step_options, func), func, args, kwargs)

    required_roles = staticmethod(required_roles)
    default_required_roles = staticmethod(default_required_roles)
    set_authentication = staticmethod(set_authentication)

    # -- starting -------------------------------------------------------------------------------------------------

    @classmethod
    def start_workflow(cls, func: Callable[..., Any], *args: Any, **kwargs: Any) -> WorkflowHandle[Any]:
        """Start a workflow; it goes on by itself."""
        runtime, args = cls.launched(), with_receiver(func, args)
        return WorkflowHandle(runtime, runtime.start(workflow_of(func), args, kwargs))

    @classmethod
    async def start_workflow_async(
        cls, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> WorkflowHandleAsync[Any]:
        """Start a workflow; it goes on by itself."""
        runtime, args = cls.launched(), with_receiver(func, args)
        return WorkflowHandleAsync(runtime, await runtime.start_async(workflow_of(func), args, kwargs))

    # -- where the caller stands ----------------------------------------------------------------------------------

    @ClassProperty
    def workflow_id() -> str | None:
        """Id of the workflow that the caller runs in, None outside."""
        step, place = step_here.get(), workflow_here.get()
        return step.workflow_id if step is not None else place.id if place is not None else None

    @ClassProperty
    def step_id() -> int | None:
        """Number of the step that the caller runs in, or of the last durable call of its workflow."""
        step, place = step_here.get(), workflow_here.get()
        return step.step_id if step is not None else place.step_id if place is not None else None

    @ClassProperty
    def step_status() -> StepPlace | None:
        """What is known about the step that the caller runs in."""
        return step_here.get()

    @ClassProperty
    def application_version() -> str:
        """The version that the configuration names."""
        found = DBOS.launched().config.get("application_version")
        if found is None:
            raise UnsupportedFeatureError("DBOS.application_version", "name one in the config: application_version")
        return str(found)

    @ClassProperty
    def executor_id() -> str:
        """Name of this process, as the configuration has it."""
        return str(DBOS.launched().config.get("executor_id") or "local")

    @ClassProperty
    def authenticated_user() -> str | None:
        """Who acts."""
        return auth_here.get().user

    @ClassProperty
    def authenticated_roles() -> list[str] | None:
        """All roles of who acts."""
        roles = auth_here.get().roles
        return None if roles is None else list(roles)

    @ClassProperty
    def assumed_role() -> str | None:
        """The role under which the caller acts."""
        return auth_here.get().assumed

    @ClassProperty
    def span() -> Any:
        """The current span of OpenTelemetry, None where that is not installed."""
        try:
            from opentelemetry import trace  # noqa: PLC0415 - an extra
        except ImportError:
            return None
        return trace.get_current_span()

    @ClassProperty
    def logger() -> logging.Logger:
        """DBOS's logger."""
        return logging.getLogger("dbos")


def _twin(name: str) -> Any:
    async def awaited(cls: type[DBOS], /, *args: Any, **kwargs: Any) -> Any:
        return await called_async(getattr(cls, name), *args, **kwargs)

    awaited.__name__ = awaited.__qualname__ = f"{name}_async"
    awaited.__doc__ = f"Do what ``{name}`` does."
    return classmethod(awaited)


for _name in (
    "apply_schedules",
    "create_schedule",
    "delete_schedule",
    "get_schedule",
    "list_schedules",
    "list_queues",
    "register_queue",
    "retrieve_queue",
):
    setattr(DBOS, f"{_name}_async", _twin(_name))


def _rules_of(options: Mapping[str, Any] | None, function: Callable[..., Any]) -> StepRules:
    given = dict(options or {})
    attempts = given.get("max_attempts", 3) if given.get("retries_allowed") else 1
    return StepRules(
        str(given.get("name") or getattr(function, "__qualname__", type(function).__qualname__)),
        attempts,
        given.get("interval_seconds", 1.0),
        given.get("backoff_rate", 2.0),
        given.get("should_retry"),
    )


def _called_workflow(workflow: Workflow) -> Callable[..., Any]:
    """Return what stands for the function: a call runs it durably and waits."""
    if workflow.is_async:

        @functools.wraps(workflow.function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            runtime = DBOS.launched()
            return await awaited_result_async(runtime, await runtime.start_async(workflow, args, kwargs))

        awaited.__dbos_workflow__ = workflow  # type: ignore[attr-defined]
        return awaited

    @functools.wraps(workflow.function)
    def called(*args: Any, **kwargs: Any) -> Any:
        runtime = DBOS.launched()
        return awaited_result(runtime, runtime.start(workflow, args, kwargs))

    called.__dbos_workflow__ = workflow  # type: ignore[attr-defined]
    return called


def _called_step(rules: StepRules, function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await call_step_async(rules, function, args, kwargs)

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return call_step(rules, function, args, kwargs)

    return called
