from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from resonate_core import errors
from resonate_core.codec import Codec
from resonate_core.errors import (
    AlreadyRegisteredError,
    ApplicationError,
    ChildError,
    NondeterminismError,
    ProtocolError,
    RemoteError,
    ResonateCoreError,
    StepError,
    StepTimeoutError,
    StoreError,
    TimedOutError,
    UsageError,
)

CLASSES = [
    thing
    for thing in vars(errors).values()
    if inspect.isclass(thing) and issubclass(thing, Exception) and thing.__module__ == errors.__name__
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_error_is_made_of_its_text_alone_and_prints_it(cls):
    assert str(cls("what went wrong")) == "what went wrong"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_error_survives_copy_pickle_and_storage(cls):
    error = cls("text")
    codec = Codec()
    for found in (
        copy.copy(error),
        pickle.loads(pickle.dumps(error)),
        codec.decode_error(codec.encode_error(error)),
    ):
        assert (type(found), str(found), vars(found)) == (cls, "text", vars(error))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_error_is_caught_by_the_base_of_all(cls):
    assert issubclass(cls, ResonateCoreError)


@pytest.mark.parametrize("cls", [StepTimeoutError, TimedOutError])
def test_timeout_is_caught_as_the_builtin_one(cls):
    assert issubclass(cls, TimeoutError)


@pytest.mark.parametrize("cls", [AlreadyRegisteredError, NondeterminismError, errors.InvalidIdError])
def test_fault_of_the_program_is_a_usage_error(cls):
    assert issubclass(cls, UsageError)


@pytest.mark.parametrize("make", [StepError, ChildError])
def test_wrapper_shows_its_cause_both_ways(make):
    inner = KeyError("k")
    error = make("failed", cause=inner)
    assert error.cause is error.__cause__ is inner


def test_application_error_has_text_details_and_type():
    error = ApplicationError("declined", 1, {"a": 2}, type="Declined", non_retryable=True, next_retry_delay=2)
    assert (str(error), error.details, error.type) == ("declined", (1, {"a": 2}), "Declined")
    assert (error.non_retryable, error.next_retry_delay) == (True, 2)
    assert (str(ApplicationError()), ApplicationError().type) == ("", None)


def test_application_error_with_details_survives_pickle():
    error = ApplicationError("declined", 1, type="Declined", non_retryable=True)
    found = pickle.loads(pickle.dumps(error))
    assert vars(found) == vars(error)


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (ProtocolError("x", kind="promise.get", id="p", status=404), {"kind": "promise.get", "id": "p", "status": 404}),
        (StoreError("x", path="a.db"), {"path": "a.db"}),
        (NondeterminismError("x", recorded="a", yielded="b"), {"recorded": "a", "yielded": "b"}),
        (RemoteError("x", type="Declined"), {"type": "Declined"}),
        (
            StepError("x", step="charge", attempts=3, retry_state="maximum_attempts_reached"),
            {"step": "charge", "attempts": 3},
        ),
        (ChildError("x", child="w.1"), {"child": "w.1"}),
        (StepTimeoutError("x", kind="heartbeat"), {"kind": "heartbeat"}),
        (errors.StepCrashedError("x", crash_type="SystemExit"), {"crash_type": "SystemExit"}),
    ],
    ids=lambda part: type(part).__name__,
)
def test_parts_of_an_error_are_attributes(error, parts):
    assert {key: getattr(error, key) for key in parts} == parts


@pytest.mark.parametrize("cls", [errors.Cancelled, errors.ContinueAsNew])
def test_control_signal_passes_except_exception(cls):
    assert issubclass(cls, BaseException)
    assert not issubclass(cls, Exception)


def test_continue_as_new_carries_its_arguments():
    error = errors.ContinueAsNew((1,), {"a": 2})
    assert (error.new_args, error.new_kwargs) == ((1,), {"a": 2})
    assert errors.ContinueAsNew().new_kwargs == {}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_error_says_in_one_sentence_what_it_means(cls):
    assert re.match(r"[A-Z].*\.", cls.__doc__ or "")
