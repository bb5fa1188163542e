"""Temporal's retry policy, decided in one function for activities and workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from temporalio.api.enums.v1 import RetryState, TimeoutType

if TYPE_CHECKING:
    from temporalio.api.common.v1 import RetryPolicy
    from temporalio.api.failure.v1 import Failure

#: What a policy that says nothing means.
INITIAL_S: Final = 1.0
COEFFICIENT: Final = 2.0
MAXIMUM_FACTOR: Final = 100.0

_RETRIED_TIMEOUTS: Final = (TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE, TimeoutType.TIMEOUT_TYPE_HEARTBEAT)


def decide(
    policy: RetryPolicy, *, attempt: int, failure: Failure, left_s: float | None = None
) -> tuple[float | None, RetryState.ValueType]:
    """Say how long to wait before the next attempt.

    Args:
        policy: Temporal's; fields that are not set have Temporal's defaults.
        attempt: number of the attempt that failed, from 1.
        failure: how it failed.
        left_s: seconds until the time for all attempts is over, None for no limit.

    Returns:
        Seconds and RETRY_STATE_IN_PROGRESS, or None and why there is no next attempt.
    """
    if not is_retryable(policy, failure):
        return None, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
    if policy.maximum_attempts and attempt >= policy.maximum_attempts:
        return None, RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    delay = delay_s(policy, attempt)
    info = failure.application_failure_info
    if failure.HasField("application_failure_info") and info.HasField("next_retry_delay"):
        delay = info.next_retry_delay.ToTimedelta().total_seconds()
    if left_s is not None and delay >= left_s:
        return None, RetryState.RETRY_STATE_TIMEOUT
    return delay, RetryState.RETRY_STATE_IN_PROGRESS


def delay_s(policy: RetryPolicy, attempt: int) -> float:
    """Return the wait after an attempt: exponential, capped."""
    initial = policy.initial_interval.ToTimedelta().total_seconds() or INITIAL_S
    coefficient = policy.backoff_coefficient or COEFFICIENT
    cap = policy.maximum_interval.ToTimedelta().total_seconds() or initial * MAXIMUM_FACTOR
    try:
        return float(min(initial * coefficient ** (attempt - 1), cap))
    except OverflowError:
        return cap


def is_retryable(policy: RetryPolicy, failure: Failure) -> bool:
    """Whether a failure is of a kind that is tried again."""
    if failure.HasField("application_failure_info"):
        info = failure.application_failure_info
        return not info.non_retryable and info.type not in policy.non_retryable_error_types
    if failure.HasField("timeout_failure_info"):
        return failure.timeout_failure_info.timeout_type in _RETRIED_TIMEOUTS
    if failure.HasField("server_failure_info"):
        return not failure.server_failure_info.non_retryable
    return not (failure.HasField("canceled_failure_info") or failure.HasField("terminated_failure_info"))
