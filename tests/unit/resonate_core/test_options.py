from __future__ import annotations

import dataclasses
import math
from datetime import timedelta

import pytest

from resonate_core.errors import InvalidIdError, UsageError
from resonate_core.options import UNSET, CallOptions
from resonate_core.retry import Backoff, Never

DEFAULTS = CallOptions()


def test_option_that_is_set_leaves_the_others_and_the_original():
    changed = DEFAULTS.merged({"timeout": 5, "target": "orders"})
    assert (changed.timeout, changed.target, changed.version) == (5.0, "orders", 0)
    assert CallOptions() == DEFAULTS


@pytest.mark.parametrize("name", ["timeout", "attempt_timeout", "heartbeat_timeout", "schedule_to_start_timeout"])
@pytest.mark.parametrize(("value", "seconds"), [(2, 2.0), (timedelta(minutes=1), 60.0), (None, None), (0, 0.0)])
def test_time_is_given_in_seconds_or_as_timedelta(name, value, seconds):
    assert getattr(DEFAULTS.merged({name: value}), name) == seconds


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"timout": 5}, "unknown option 'timout'; known are: attempt_timeout, delay, durable"),
        ({"timeout": -1}, "option timeout must be finite and not negative, got -1"),
        ({"timeout": math.nan}, "option timeout must be finite"),
        ({"timeout": math.inf}, "option timeout must be finite .* leave it out for no limit"),
        ({"timeout": "5"}, "option timeout must be seconds or a timedelta, got str '5'"),
        ({"attempt_timeout": True}, "option attempt_timeout must be seconds"),
        ({"tags": {"a": 1}}, "option tags must map text to text, got {'a': 1}"),
        ({"tags": ["a"]}, "option tags must map text to text"),
        ({"version": -1}, "option version must be a whole number, 0 for the newest, got -1"),
        ({"version": True}, "option version must be a whole number"),
        ({"version": "1"}, "option version must be a whole number"),
        ({"target": 5}, "option target must be the name of a group or an address, got 5"),
        ({"parent_close": "stay"}, "option parent_close must be one of wait, cancel, terminate, abandon, got 'stay'"),
        ({"if_exists": "maybe"}, "option if_exists must be one of join, fail, restart_closed, restart, got 'maybe'"),
        ({"errors": "loud"}, "option errors must be one of raw, wrapped, got 'loud'"),
        ({"non_retryable_exceptions": [5]}, "option non_retryable_exceptions takes error classes and names, got 5"),
        ({"retry_policy": 5}, "retry_policy must be None or have next"),
        ({"retry_policy": Never}, "must be an instance, got the class Never"),
        ({"durable": 0}, "option durable must be True or False, got 0"),
        ({"encoder": object}, "option encoder is not supported: every reader of a promise must read"),
    ],
    ids=str,
)
def test_option_that_cannot_be_honoured_is_refused_by_name(changes, text):
    with pytest.raises(UsageError, match=text):
        DEFAULTS.merged(changes)


@pytest.mark.parametrize("value", ["", 5, "a\x00b", "x" * 256, "\ud800"])
def test_id_that_stores_refuse_is_refused(value):
    with pytest.raises(InvalidIdError):
        DEFAULTS.merged({"id": value})


def test_several_changes_are_all_or_nothing():
    with pytest.raises(UsageError):
        DEFAULTS.merged({"timeout": 5, "version": -1})
    assert DEFAULTS.timeout is None


def test_no_policy_is_a_policy_and_unset_is_not():
    assert not DEFAULTS.has_retry_policy
    assert DEFAULTS.merged({"retry_policy": None}).has_retry_policy
    assert DEFAULTS.merged({"retry_policy": Backoff(1)}).retry_policy == Backoff(1)
    assert not DEFAULTS.merged({"retry_policy": UNSET}).has_retry_policy


@pytest.mark.parametrize("given", [KeyError, [KeyError], (KeyError,), {KeyError}])
def test_final_errors_are_given_alone_or_as_any_collection(given):
    assert DEFAULTS.merged({"non_retryable_exceptions": given}).non_retryable_exceptions == (KeyError,)


def test_tags_are_copied_and_replace_what_was_there():
    tags = {"a": "1"}
    first = DEFAULTS.merged({"tags": tags})
    tags["b"] = "2"
    assert first.tags == {"a": "1"}
    assert first.merged({"tags": {"c": "3"}}).tags == {"c": "3"}
    assert first.merged({"tags": None}).tags == {}


def test_options_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DEFAULTS.timeout = 5
