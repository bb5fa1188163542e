"""Errors of plain Resonate code, as Temporal's clients read them."""

from __future__ import annotations

from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError as TemporalError

from compat.temporal.failures import failure_of
from resonate_core import ApplicationError


def read(error: BaseException) -> BaseException:
    return DefaultFailureConverter().from_failure(failure_of(error), PayloadConverter.default)


def test_error_of_migrated_code_keeps_type_and_details():
    seen = read(ApplicationError("full", "bob", {"seats": 0}, type="Full", non_retryable=True))
    assert isinstance(seen, TemporalError)
    assert (seen.message, seen.type, seen.non_retryable) == ("full", "Full", True)
    assert list(seen.details) == ["bob", {"seats": 0}]


def test_error_of_any_class_has_no_details():
    seen = read(ValueError("taken"))
    assert isinstance(seen, TemporalError)
    assert (seen.message, seen.type, list(seen.details)) == ("taken", "ValueError", [])
