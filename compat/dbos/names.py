"""Small public types of DBOS that carry no behaviour."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable


#: What a start does whose id is taken.
WorkflowIDReusePolicy: TypeAlias = Literal["return-existing", "reject"]


class WorkflowStatusString(enum.Enum):
    """How a workflow can stand."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    MAX_RECOVERY_ATTEMPTS_EXCEEDED = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
    CANCELLED = "CANCELLED"
    ENQUEUED = "ENQUEUED"
    DELAYED = "DELAYED"


class DuplicationPolicy(enum.Enum):
    """What enqueuing does when the deduplication id is taken."""

    REJECT = "reject"
    RETURN_EXISTING = "return-existing"


class StepOptions(TypedDict, total=False):
    """What ``DBOS.run_step`` takes."""

    name: str | None
    retries_allowed: bool
    interval_seconds: float
    max_attempts: int
    backoff_rate: float
    should_retry: Callable[[BaseException], bool] | None
