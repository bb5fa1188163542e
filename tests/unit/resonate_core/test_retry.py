from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from datetime import timedelta

import pytest

from resonate_core.errors import ApplicationError, EncodeError, RemoteError, UsageError
from resonate_core.retry import (
    WAIT_MAX_S,
    Backoff,
    Constant,
    Exponential,
    Linear,
    Never,
    from_wire,
    matches,
    next_delay_ms,
    resolve,
    to_wire,
)


def delays(policy, count):
    return [policy.next(attempt) for attempt in range(1, count + 1)]


def test_exponential_default_starts_at_delay_times_factor():
    assert delays(Exponential(), 6) == [2, 4, 8, 16, 30, 30]


def test_linear_and_constant_default_grow_and_stay():
    assert delays(Linear(), 4) == [1, 2, 3, 4]
    assert delays(Constant(), 3) == [1, 1, 1]


def test_sdk_policies_have_the_sdk_fields_and_defaults():
    assert Exponential() == Exponential(delay=1, max_retries=sys.maxsize, factor=2, max_delay=30)
    assert Linear(1, sys.maxsize) == Linear()
    assert Constant(delay=1, max_retries=sys.maxsize) == Constant()


@pytest.mark.parametrize("policy", [Exponential(0, 3), Linear(0, 3), Constant(0, 3)])
def test_max_retries_counts_what_follows_the_first_attempt(policy):
    assert delays(policy, 4)[3] is None
    assert None not in delays(policy, 3)


@pytest.mark.parametrize("policy", [Exponential(), Linear(), Constant(), Never(), Backoff(1)])
def test_next_of_the_first_attempt_is_no_wait(policy):
    assert policy.next(0) == 0


def test_never_gives_up_after_the_first_attempt():
    assert Never().next(1) is None


def test_exponential_float_factor_after_thousands_of_retries_stays_at_the_limit():
    assert Exponential(1, factor=1.5, max_delay=30).next(100_000) == 30
    assert Backoff(1, factor=2.5).next(1_000_000) == WAIT_MAX_S
    assert Exponential(0, factor=1.5).next(100_000) == 0


def test_backoff_first_wait_is_initial_and_attempts_count_all():
    policy = Backoff(1, max_delay=5, max_attempts=5)
    assert delays(policy, 5) == [1, 2, 4, 5, None]


def test_backoff_one_attempt_never_retries():
    assert Backoff(1, max_attempts=1).next(1) is None


def test_backoff_takes_timedeltas():
    assert delays(Backoff(timedelta(minutes=1), 3, timedelta(minutes=5)), 3) == [60, 180, 300]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Backoff(-1),
        lambda: Backoff(math.nan),
        lambda: Backoff(math.inf),
        lambda: Backoff("1"),
        lambda: Backoff(True),
        lambda: Backoff(1, factor=0),
        lambda: Backoff(1, factor=-2),
        lambda: Backoff(1, factor=math.nan),
        lambda: Backoff(1, max_delay=-1),
        lambda: Backoff(1, max_attempts=0),
        lambda: Backoff(1, max_attempts=2.5),
        lambda: Backoff(1, non_retryable=(3,)),
        lambda: Backoff(1, non_retryable=(int,)),
        lambda: Exponential(delay=-1),
        lambda: Exponential(factor=0),
        lambda: Exponential(max_delay=math.nan),
        lambda: Exponential(max_retries=-1),
        lambda: Linear(delay=math.inf),
        lambda: Constant(max_retries=1.5),
    ],
)
def test_policy_with_a_bad_number_is_refused_with_the_parameter_named(make):
    with pytest.raises(UsageError, match=r"\w+\(\w+=\)"):
        make()


class Declined(Exception):  # noqa: N818 - users name their errors so
    pass


class CardDeclined(Declined):
    pass


@pytest.mark.parametrize("name", [Declined, "Declined", f"{__name__}.Declined", f"{__name__}:CardDeclined"])
def test_non_retryable_matches_by_class_or_name_with_subclasses(name):
    assert Backoff(1, non_retryable=(name,)).next(1, CardDeclined()) is None
    assert Backoff(1, non_retryable=(name,)).next(1, ValueError()) == 1


def test_non_retryable_subclass_of_a_listed_builtin_is_final():
    assert next_delay_ms(Constant(1), attempt=1, error=FileNotFoundError(), non_retryable=(OSError,)) is None


def test_non_retryable_matches_the_type_of_application_and_remote_errors():
    policy = Backoff(1, non_retryable=("NoFunds",))
    assert policy.next(1, ApplicationError("x", type="NoFunds")) is None
    assert policy.next(1, RemoteError("x", type="NoFunds")) is None
    assert policy.next(1, ApplicationError("x", type="Busy")) == 1


def test_non_retryable_flag_of_the_error_wins():
    assert next_delay_ms(Constant(1), attempt=1, error=ApplicationError("x", non_retryable=True)) is None


def test_next_retry_delay_of_the_error_wins_over_the_policy_but_not_over_its_count():
    error = ApplicationError("x", next_retry_delay=7.5)
    assert next_delay_ms(Backoff(1, max_attempts=2), attempt=1, error=error) == 7500
    assert next_delay_ms(Backoff(1, max_attempts=2), attempt=2, error=error) is None
    assert next_delay_ms(None, attempt=1, error=error) is None


def test_next_retry_delay_may_be_a_timedelta():
    error = ApplicationError("x", next_retry_delay=timedelta(seconds=2))
    assert next_delay_ms(Constant(1), attempt=1, error=error) == 2000


@pytest.mark.parametrize("error", [UsageError("x"), EncodeError("x")])
def test_errors_of_the_program_are_never_retried(error):
    assert next_delay_ms(Constant(1), attempt=1, error=error) is None


def test_no_policy_is_one_attempt():
    assert next_delay_ms(None, attempt=1, error=ValueError()) is None


def test_policy_of_the_user_needs_only_next():
    class Odd:
        def next(self, attempt):
            return attempt / 4

    assert next_delay_ms(Odd(), attempt=3, error=ValueError()) == 750


def test_policy_of_the_user_may_look_at_the_error():
    class Picky:
        def next(self, attempt, error):
            assert attempt == 1
            return 1 if isinstance(error, OSError) else None

    assert next_delay_ms(Picky(), attempt=1, error=OSError()) == 1000
    assert next_delay_ms(Picky(), attempt=1, error=KeyError()) is None


@pytest.mark.parametrize("answer", [math.nan, -1, "soon", math.inf])
def test_policy_that_answers_with_no_delay_is_named(answer):
    class Broken:
        def next(self, attempt):
            return answer if attempt else 0

    with pytest.raises(UsageError, match="Broken"):
        next_delay_ms(Broken(), attempt=1, error=None)


def test_attempt_counts_from_one():
    with pytest.raises(UsageError, match="from 1"):
        next_delay_ms(Constant(), attempt=0, error=None)


def test_delay_is_never_longer_than_a_year():
    assert next_delay_ms(Constant(10**12), attempt=1, error=None) == WAIT_MAX_S * 1000


def test_resolve_accepts_a_function_of_the_step():
    assert resolve(lambda function: Constant(2) if function is len else Never(), len) == Constant(2)


def test_resolve_refuses_what_is_no_policy():
    with pytest.raises(UsageError, match="next"):
        resolve(3, len)


@pytest.mark.parametrize(
    "policy",
    [
        None,
        Never(),
        Constant(0.1, 3),
        Constant(),
        Linear(0.5),
        Exponential(),
        Exponential(0.1, 7, 1.5, 90),
        Backoff(1),
        Backoff(0.1, 1.7, 33, 9, ("NoFunds",)),
    ],
)
def test_policy_travels_unchanged(policy):
    assert from_wire(json.loads(json.dumps(to_wire(policy)))) == policy


def test_policy_with_error_classes_travels_by_their_names():
    policy = from_wire(json.loads(json.dumps(to_wire(Backoff(1, non_retryable=(Declined, "Other"))))))
    assert policy.next(1, CardDeclined()) is None
    assert policy.next(1, KeyError()) == 1


def test_wire_form_is_the_one_of_the_typescript_sdk():
    wire = to_wire(Backoff(1, 2, 100, 4))
    assert wire["type"] == "exponential"
    assert wire["data"] == {"delay": 500, "maxRetries": 3, "factor": 2, "maxDelay": 100_000}
    assert to_wire(Constant(1, 2)) == {"type": "constant", "data": {"delay": 1000, "maxRetries": 2}}


def test_foreign_wire_form_is_read():
    foreign = {"type": "exponential", "data": {"delay": 500, "factor": 3, "maxRetries": 4, "maxDelay": 9000}}
    assert from_wire(foreign) == Exponential(0.5, 4, 3, 9)


@dataclass
class Custom:
    def next(self, attempt):
        return attempt


def test_policy_of_the_user_cannot_travel_and_says_so():
    with pytest.raises(UsageError, match="cannot travel"):
        to_wire(Custom())


@pytest.mark.parametrize("wire", [{}, {"type": "odd", "data": {"delay": 1}}, {"type": "linear"}, {"backoff": {}}])
def test_damaged_wire_form_is_a_usage_error(wire):
    with pytest.raises(UsageError):
        from_wire(wire)


def test_matches_nothing_by_default():
    assert not matches(ValueError(), ())
