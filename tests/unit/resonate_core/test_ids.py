from __future__ import annotations

import enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_core.errors import InvalidIdError
from resonate_core.ids import (
    check_id,
    child_id,
    event_id,
    generation_id,
    inbox_id,
    logical_id,
    order_id,
    run_id,
    seeded_random,
    seeded_uuid,
)
from resonate_core.limits import CHILD_ID_CHARS_MAX

quick = settings(deadline=None, max_examples=60)


class Name(str, enum.Enum):  # noqa: UP042 - the spelling of Python 3.10
    ORDER = "order-1"


@pytest.mark.parametrize("value", ["a", "order-17", "a b", "x" * 255, "é" * 127, "a/b", "a.b"])
def test_id_of_a_caller_is_taken_as_it_is(value):
    assert check_id(value) == value


def test_id_that_is_a_member_of_an_enum_becomes_its_text():
    found = check_id(Name.ORDER)
    assert (type(found), f"{found}.1") == (str, "order-1.1")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, r"an id must be text, got NoneType None; write str\(\.\.\.\) around it"),
        (17, "an id must be text, got int 17"),
        ("", r"an id must not be empty; use a key of your own, or str\(uuid4\(\)\)"),
        ("a\x00b", "contains a NUL character, which servers refuse; remove it"),
        ("x" * 256, r"has 256 bytes, at most 255 are stored; shorten it"),
        ("é" * 128, "has 256 bytes, at most 255"),
        ("a\ud800", "half of a surrogate pair, which no store takes"),
    ],
)
def test_id_that_stores_refuse_says_what_to_do(value, text):
    with pytest.raises(InvalidIdError, match=text):
        check_id(value)


def test_ids_around_an_execution_are_its_own_and_differ():
    made = [
        child_id("E", 1, "E"),
        child_id("E", 2, "E"),
        inbox_id("E", 1),
        order_id("E", 1),
        run_id("E", 1),
        event_id("E", "k", 1),
        generation_id("E", 1),
    ]
    assert made == ["E.1", "E.2", "E.inbox.1", "E.order.1", "E.run.1", "E.event.k.1", "E~1"]


def test_first_run_and_first_generation_are_the_execution_itself():
    assert (run_id("E", 0), generation_id("E", 0)) == ("E", "E")


@quick
@given(st.text("abc.~-0123456789", min_size=1, max_size=12), st.integers(1, 99))
def test_logical_id_of_any_generation_is_what_the_caller_chose(logical, generation):
    assert logical_id(generation_id(logical, generation)) == logical


@pytest.mark.parametrize("value", ["a", "a~", "a~b", "~", "a~1b"])
def test_id_without_a_generation_is_its_own_logical_id(value):
    assert logical_id(value) == value


@quick
@given(st.lists(st.integers(1, 50), max_size=300), st.text("ab", min_size=1, max_size=200))
def test_child_id_stays_short_and_below_its_origin_however_deep(path, origin):
    current = origin
    for number in path:
        current = child_id(current, number, origin)
        assert current.startswith(f"{origin}.")
    assert len(current) <= max(CHILD_ID_CHARS_MAX, len(origin)) + 60


@quick
@given(st.lists(st.integers(1, 9), min_size=150, max_size=200), st.lists(st.integers(1, 9), min_size=150, max_size=200))
def test_deep_child_ids_differ_where_their_paths_differ(one, other):
    def walk(path):
        current = "root"
        for number in path:
            current = child_id(current, number, "root")
        return current

    assert (walk(one) == walk(other)) == (one == other)


def test_child_id_just_below_the_limit_is_not_folded():
    parent = "p" * CHILD_ID_CHARS_MAX
    assert child_id(parent, 7, "o") == f"{parent}.7"
    assert child_id(parent + "p", 7, "o").startswith("o.f")


@quick
@given(
    st.tuples(st.text("ab.1", max_size=4), st.integers(0, 99)),
    st.tuples(st.text("ab.1", max_size=4), st.integers(0, 99)),
)
def test_events_of_different_keys_never_share_an_id(one, other):
    assert (event_id("E", *one) == event_id("E", *other)) == (one == other)


def test_seeded_numbers_and_uuids_are_the_same_on_every_replay():
    first, again, other = seeded_random("E/rng"), seeded_random("E/rng"), seeded_random("E.1/rng")
    draws = [first.random() for _ in range(3)]
    assert draws == [again.random() for _ in range(3)]
    assert draws != [other.random() for _ in range(3)]
    assert seeded_uuid(seeded_random("x")) == seeded_uuid(seeded_random("x"))


def test_seeded_numbers_are_those_of_earlier_releases():
    assert seeded_random("order-17/rng").random() == 0.051156800429217
    assert str(seeded_uuid(seeded_random("order-17/uuid"))) == "edad7411-82fb-4767-bd4f-4139519da4b7"


def test_seeded_uuid_is_a_version_4_uuid():
    made = seeded_uuid(seeded_random("x"))
    assert (made.version, made.variant) == (4, "specified in RFC 4122")
