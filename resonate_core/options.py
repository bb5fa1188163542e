"""Options of a call: the generator SDK's names and units, and ours beyond them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from resonate_core.errors import UsageError
from resonate_core.ids import check_id
from resonate_core.marks import seconds_of
from resonate_core.queues.queue import Queue, QueuePlace
from resonate_core.retry import checked_names, checked_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PARENT_CLOSE: Final = ("wait", "cancel", "terminate", "abandon")
IF_EXISTS: Final = ("join", "fail", "restart_closed", "restart")
_SECONDS: Final = ("delay", "timeout", "attempt_timeout", "heartbeat_timeout", "schedule_to_start_timeout")
UNSET: Final[Any] = object()


@dataclass(frozen=True)
class CallOptions:
    """Options of one call; ``UNSET`` and None mean that the mark or the default decides. Times are seconds.

    ``timeout`` limits the whole call, ``attempt_timeout`` one attempt of a step. ``schedule_to_start_timeout`` is for
    remote calls: one that a worker takes up later fails instead of running; a local step starts at once. ``delay``
    holds a remote call back. ``queue``, ``priority`` and ``partition`` say where it stands in line.
    """

    id: str | None = None
    timeout: float | None = None
    attempt_timeout: float | None = None
    heartbeat_timeout: float | None = None
    schedule_to_start_timeout: float | None = None
    retry_policy: Any = UNSET
    non_retryable_exceptions: tuple[type[BaseException] | str, ...] = ()
    errors: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    version: int = 0
    durable: bool = True
    idempotency_key: Any = None
    encoder: Any = None
    parent_close: str = "wait"
    if_exists: str = "join"
    result_type: Any = None
    delay: float | None = None
    queue: Queue | QueuePlace | str | None = None
    priority: int = 0
    partition: str | None = None
    #: First message of an execution, which is made with it: ``id``, ``kind``, ``topic``, ``args``.
    opening: Mapping[str, Any] | None = None

    @property
    def has_retry_policy(self) -> bool:
        """Whether a policy was named; None is one: a single attempt."""
        return self.retry_policy is not UNSET

    def merged(self, changes: Mapping[str, Any]) -> CallOptions:
        """Return a copy with some options set.

        Raises:
            UsageError: an unknown name, or a value that the option cannot take.
        """
        for name in changes:
            if name not in self.__dataclass_fields__:
                known = ", ".join(sorted(self.__dataclass_fields__))
                raise UsageError(f"unknown option {name!r}; known are: {known}")
        checked = {name: _check(name, value) for name, value in changes.items()}
        return replace(self, **checked)


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise UsageError(f"option {name} must be one of {', '.join(allowed)}, got {value!r}")
    return value


def _check_tags(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
        raise UsageError(f"option tags must map text to text, got {value!r}")
    return dict(value)


def _check_version(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"option version must be a whole number, 0 for the newest, got {value!r}")
    return value


def _check_target(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise UsageError(f"option target must be the name of a group or an address, got {value!r}")
    return value


def _check_durable(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"option durable must be True or False, got {value!r}")
    return value


def _check_queue(value: Any) -> Any:
    if value is not None and not isinstance(value, (Queue, QueuePlace, str)):
        raise UsageError(f"option queue must be a Queue or the name of one, got {value!r}")
    return value


def _check_priority(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"option priority must be a whole number from 0, lower first, got {value!r}")
    return value


def _check_partition(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise UsageError(f"option partition must be text, got {value!r}")
    return value


def _check_encoder(value: Any) -> None:
    if value is not None:
        raise UsageError(
            "option encoder is not supported: every reader of a promise must read what its writer wrote; give the "
            f"client an encryptor or a codec instead, got {value!r}",
        )


_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "id": lambda value: None if value is None else check_id(value),
    "tags": lambda value: _check_tags(value or {}),
    "parent_close": lambda value: _one_of("parent_close", value, PARENT_CLOSE),
    "if_exists": lambda value: _one_of("if_exists", value, IF_EXISTS),
    "errors": lambda value: None if value is None else _one_of("errors", value, ("raw", "wrapped")),
    "version": _check_version,
    "target": _check_target,
    "non_retryable_exceptions": lambda value: checked_names(value, "option non_retryable_exceptions"),
    "retry_policy": lambda value: value if value is UNSET else checked_policy(value),
    "durable": _check_durable,
    "encoder": _check_encoder,
    "queue": _check_queue,
    "priority": _check_priority,
    "partition": _check_partition,
}


def _check(name: str, value: Any) -> Any:
    if name in _SECONDS:
        return seconds_of(value, f"option {name}")
    check = _CHECKS.get(name)
    return value if check is None else check(value)
