"""What a running step may ask and say: ``heartbeat``, ``step_info`` and ``step_logger``.

A step stays a plain function that tests and scripts call directly: there ``heartbeat`` does nothing, the logger logs,
and only ``step_info`` has no answer.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from resonate_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping


@dataclass(frozen=True)
class StepInfo:
    """One attempt of a step, as seen from inside it at the time of asking.

    Attributes:
        id: the step's durable promise.
        root_id: the execution that the step belongs to (its workflow id).
        name: registered name.
        attempt: 1 for the first attempt, counted over recoveries.
        started_ms: when this attempt began, milliseconds since the epoch.
        deadline_ms: when the whole step ends, retries included; None for no limit.
        attempt_timeout_ms: how long one attempt may take; None for no limit.
        heartbeat_timeout_ms: how long an attempt may be silent; None for no limit.
        heartbeat_details: what the last heartbeat said, in this or an earlier attempt.
        is_cancelled: whether the step has been asked to stop.
    """

    id: str
    root_id: str
    name: str
    attempt: int
    started_ms: int
    deadline_ms: int | None
    attempt_timeout_ms: int | None
    heartbeat_timeout_ms: int | None
    heartbeat_details: tuple[Any, ...]
    is_cancelled: bool

    @property
    def started_at(self) -> dt.datetime:
        """When this attempt began, aware, in UTC."""
        return dt.datetime.fromtimestamp(self.started_ms / 1000, tz=dt.UTC)

    @property
    def attempt_timeout(self) -> dt.timedelta | None:
        """How long one attempt may take; None for no limit."""
        return _duration(self.attempt_timeout_ms)

    @property
    def heartbeat_timeout(self) -> dt.timedelta | None:
        """How long an attempt may be silent; None for no limit."""
        return _duration(self.heartbeat_timeout_ms)


def _duration(milliseconds: int | None) -> dt.timedelta | None:
    return None if milliseconds is None else dt.timedelta(milliseconds=milliseconds)


class StepScope(Protocol):
    """The running attempt, as far as its function may reach it."""

    def beat(self, details: tuple[Any, ...]) -> None:
        """Note that the attempt is alive."""

    def info(self) -> StepInfo:
        """Describe the attempt."""


#: The attempt that runs in this thread or task; tasks and threads started with a copied context see it too.
current_step: Final[ContextVar[StepScope | None]] = ContextVar("resonate_step", default=None)


@contextlib.contextmanager
def step_scope(scope: StepScope) -> Iterator[None]:
    """Let ``heartbeat``, ``step_info`` and ``step_logger`` inside the block reach an attempt of somebody else's."""
    token = current_step.set(scope)
    try:
        yield
    finally:
        current_step.reset(token)


def heartbeat(*details: Any) -> None:
    """Say that the step is alive, and how far it got. Outside a step this does nothing.

    Args:
        details: kept for the next attempt, which finds them in ``step_info().heartbeat_details``.

    Raises:
        Cancelled: the step was asked to stop, or its attempt was given up (plain functions; tasks are cancelled).
    """
    scope = current_step.get()
    if scope is not None:
        scope.beat(details)


def in_step() -> bool:
    """Say whether the caller runs inside a step."""
    return current_step.get() is not None


def step_info() -> StepInfo:
    """Describe the attempt that runs here.

    Raises:
        UsageError: this is not inside a step.
    """
    scope = current_step.get()
    if scope is None:
        raise UsageError(
            "step_info() works inside a running step, and none runs here; "
            "call it in the step's own thread or task, or pass the information on as an argument",
        )
    return scope.info()


class StepLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds id, execution, name and attempt of the running step to every record, as attributes ``step_*``."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Return the message with the step's fields in ``extra``."""
        scope = current_step.get()
        if scope is not None:
            kwargs["extra"] = {**_fields(scope.info()), **(kwargs.get("extra") or {})}
        return msg, kwargs


def _fields(info: StepInfo) -> Mapping[str, Any]:
    return {
        "step_id": info.id,
        "step_root_id": info.root_id,
        "step_name": info.name,
        "step_attempt": info.attempt,
    }


step_logger: Final = StepLogger(logging.getLogger("resonate.step"), {})
