"""What decorators register: workflows and steps, by the names that DBOS gives them."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.error import DBOSConflictingWorkflowError, DBOSException
from resonate_core import Function, durable_mark

if TYPE_CHECKING:
    from collections.abc import Callable

#: Keyword under which the name of a configured instance travels with a call.
INSTANCE_KEY: Final = "__dbos_instance__"
CLASS_KEY: Final = "__dbos_class__"


@dataclass(frozen=True)
class StepRules:
    """How a step is repeated.

    Attributes:
        max_attempts: 1 without retries.
        interval: seconds before the second attempt.
        rate: growth of the waits.
        should_retry: says of an error whether another attempt makes sense.
    """

    name: str
    max_attempts: int = 1
    interval: float = 1.0
    rate: float = 2.0
    should_retry: Callable[[BaseException], bool] | None = None


@dataclass(frozen=True)
class Workflow:
    """One registered workflow function; ``is_rewritten``: it is a generator of the runtime, not one of DBOS."""

    name: str
    function: Callable[..., Any]
    is_async: bool
    max_recovery_attempts: int | None = None
    is_rewritten: bool = False

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Any]:
        """Return the call of the function, on the instance or class that it was made on."""
        kwargs = dict(kwargs)
        instance, cls = kwargs.pop(INSTANCE_KEY, None), kwargs.pop(CLASS_KEY, None)
        if instance is not None:
            return functools.partial(self.function, instances[tuple(instance)], *args, **kwargs)
        if cls is not None:
            return functools.partial(self.function, classes[cls], *args, **kwargs)
        return functools.partial(self.function, *args, **kwargs)


workflows: Final[dict[str, Workflow]] = {}
#: What ``@DBOS.scheduled`` asks for, by the workflow's name: the workflow and its cron.
scheduled: Final[dict[str, tuple[Workflow, str]]] = {}
#: (class name, config name) of configured instances, and classes by name.
instances: Final[dict[tuple[Any, ...], Any]] = {}
classes: Final[dict[str, type]] = {}


def add_workflow(workflow: Workflow) -> None:
    """Register a workflow.

    Raises:
        DBOSConflictingWorkflowError: another function has the name.
    """
    known = workflows.get(workflow.name)
    if known is not None and inspect.unwrap(known.function) is not inspect.unwrap(workflow.function):
        same_place = (known.function.__module__, known.function.__qualname__)
        if same_place != (workflow.function.__module__, workflow.function.__qualname__):
            raise DBOSConflictingWorkflowError(
                f"workflow {workflow.name!r} is registered by {known.function!r}; give one of them another name="
            )
    workflows[workflow.name] = workflow


def workflow_of(function: Callable[..., Any]) -> Workflow:
    """Return the registered workflow of a decorated function, step or bound method; of a method, without its object.

    Raises:
        DBOSException: it is none.
        DBOSConflictingWorkflowError: another one has its name.
    """
    if isinstance(function, Function):  # migrated already, and registered with the same client
        return Workflow(function.name, function.func, is_async=False, is_rewritten=True)
    mark = durable_mark(function)
    if mark is not None:  # migrated already; ``launch`` has registered it
        return Workflow(mark.name, function, is_async=False, is_rewritten=True)
    found = getattr(getattr(function, "__func__", function), "__dbos_workflow__", None)
    if not isinstance(found, Workflow):
        raise DBOSException(f"{function!r} is no workflow; decorate it with @DBOS.workflow()")
    if workflows.setdefault(found.name, found) is not found:
        raise DBOSConflictingWorkflowError(f"two functions are called {found.name!r}; give one of them another name=")
    return found


def elsewhere(name: str) -> Workflow:
    """Stand for a workflow that only other processes may have."""
    return Workflow(name, _elsewhere, is_async=False)


def _elsewhere(*_: Any, **__: Any) -> None:
    """Stand for its function."""


def with_receiver(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put the object of a bound method before its arguments, where the plain function expects it."""
    receiver = getattr(function, "__self__", None)
    return args if receiver is None else (receiver, *args)


def one_step_name(step: str) -> str:
    """Return the name of a step as a workflow of its own."""
    return f"<temp>.{step}"


def add_step_workflow(step: Callable[..., Any], name: str) -> None:
    """Let a step be started or enqueued by itself, as a workflow of one step."""
    workflow = Workflow(one_step_name(name), step, inspect.iscoroutinefunction(step))
    workflows[workflow.name] = workflow
    step.__dbos_workflow__ = workflow  # type: ignore[attr-defined]


class DBOSConfiguredInstance:
    """Base of classes whose instances have workflows: an instance is found again by its ``config_name``."""

    def __init__(self, config_name: str) -> None:
        self.config_name = config_name
        instances[type(self).__qualname__, config_name] = self


def receiver_of(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Split a method's call: the arguments that travel, and how the receiver is found again.

    Raises:
        TypeError: an instance method of something that is no ``DBOSConfiguredInstance``.
    """
    parameters = list(inspect.signature(function).parameters)
    if not args or not parameters or parameters[0] not in ("self", "cls"):
        return args, {}
    receiver = args[0]
    if parameters[0] == "cls" and inspect.isclass(receiver):
        classes.setdefault(receiver.__qualname__, receiver)
        return args[1:], {CLASS_KEY: receiver.__qualname__}
    if isinstance(receiver, DBOSConfiguredInstance):
        return args[1:], {INSTANCE_KEY: [type(receiver).__qualname__, receiver.config_name]}
    raise TypeError(
        f"{function.__qualname__} is a workflow method of {type(receiver).__qualname__}, which must derive from "
        "DBOSConfiguredInstance so that another process finds the instance"
    )
