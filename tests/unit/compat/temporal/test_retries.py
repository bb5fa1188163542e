from __future__ import annotations

import pytest
from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1 import RetryState, TimeoutType

from compat.temporal import failures
from compat.temporal.retries import decide, delay_s

FAILURE = failures.application("no", "Type")


def test_delay_without_a_policy_is_temporals_default() -> None:
    assert [delay_s(RetryPolicy(), attempt) for attempt in (1, 2, 3, 8, 100_000)] == [1, 2, 4, 100, 100]


def test_attempts_are_counted_in_all() -> None:
    policy = RetryPolicy(maximum_attempts=2)
    assert decide(policy, attempt=1, failure=FAILURE) == (1, RetryState.RETRY_STATE_IN_PROGRESS)
    assert decide(policy, attempt=2, failure=FAILURE) == (None, RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED)


@pytest.mark.parametrize(
    ("policy", "failure"),
    [
        (RetryPolicy(non_retryable_error_types=["Type"]), FAILURE),
        (RetryPolicy(), failures.application("no", "X", non_retryable=True)),
        (RetryPolicy(), failures.canceled("no")),
        (RetryPolicy(), failures.timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START, "late")),
    ],
)
def test_failure_that_is_not_retryable_ends_it(policy: RetryPolicy, failure: object) -> None:
    assert decide(policy, attempt=1, failure=failure) == (None, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE)


def test_retry_that_would_begin_too_late_is_not_begun() -> None:
    assert decide(RetryPolicy(), attempt=1, failure=FAILURE, left_s=0.5) == (None, RetryState.RETRY_STATE_TIMEOUT)


def test_delay_that_the_failure_asks_for_wins() -> None:
    failure = failures.application("later", "Type")
    failure.application_failure_info.next_retry_delay.FromSeconds(7)
    assert decide(RetryPolicy(), attempt=5, failure=failure)[0] == 7
