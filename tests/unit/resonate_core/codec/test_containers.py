from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import email.message
import enum
import io
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from typing import NamedTuple

import pytest

from resonate_core.codec import TYPES_HEADER
from resonate_core.errors import EncodeError

DAY = dt.date(2024, 1, 1)
Point = namedtuple("Point", "x y")  # noqa: PYI024 - users write this too


class Line(NamedTuple):
    sku: str
    due: dt.date = DAY


class Color(enum.StrEnum):
    RED = "red"


class Size(enum.Enum):
    SMALL = 1


@dataclasses.dataclass(frozen=True)
class Key:
    a: int


VALUES = [
    (),
    (1, (2, [3, (4,)])),
    [(1,), (2,)],
    {1, 2},
    set(),
    frozenset("ab"),
    {(1, 2), (3, 4)},
    {frozenset((1,)), frozenset((2,))},
    {1: "a", 2: "b"},
    {1: {2: {3: DAY}}},
    {1: "a", "1": "b"},
    {True: 1, None: 2, 1.5: 3, b"k": 4},
    {(1, "a"): [(2,)]},
    {(1, "a"): DAY, (2, "b"): DAY},
    {DAY: 1},
    {uuid.UUID(int=1): uuid.UUID(int=2)},
    {dt.datetime(2024, 1, 1, tzinfo=dt.UTC): 1},
    {Color.RED: 1},
    {Size.SMALL: 1},
    {Color.RED: 1, "red2": 2},
    {Key(1): (1,)},
    deque([1, (2,)]),
    deque([1, 2], 2),
    OrderedDict(b=1, a=(2,)),
    OrderedDict({(1,): (2,), 3: 4}),
    OrderedDict({2: DAY, 1: DAY}),
    Counter("abca"),
    Counter({(1,): 2}),
    types.SimpleNamespace(a=1, b=(2,)),
    Point(1, (2,)),
    Line("a"),
    [Line("a"), Line("b", dt.date(2025, 1, 1))],
    {"a": [DAY] * 3, "b": {"x": DAY, "y": 1}},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}-{str(value)[:30]}")
def test_container_comes_back_as_itself(there_and_back, value):
    found = there_and_back(value)
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, dict):
        assert list(found) == list(value)
        assert list(map(type, found)) == list(map(type, value))


def test_key_beyond_the_digits_python_prints_comes_back(there_and_back):
    assert there_and_back({7**9_000: 1}) == {7**9_000: 1}


def test_bound_of_a_deque_is_kept(there_and_back):
    assert there_and_back(deque([1], 7)).maxlen == 7


@pytest.mark.parametrize("factory", [None, list, dict, int, set, str])
def test_defaultdict_keeps_its_factory(there_and_back, factory):
    found = there_and_back(defaultdict(factory, {"a": 1}))
    assert (type(found), found.default_factory, found) == (defaultdict, factory, {"a": 1})


def test_defaultdict_with_other_keys_keeps_them(there_and_back):
    assert there_and_back(defaultdict(list, {(1, 2): [(3,)], 4: []})) == {(1, 2): [(3,)], 4: []}


def test_defaultdict_with_a_factory_of_the_users_is_refused_with_advice(codec):
    with pytest.raises(EncodeError, match=r"expected one of list, dict, .*convert it with dict"):
        codec.encode_value(defaultdict(lambda: 7))


def test_headers_of_a_message_come_back(there_and_back):
    message = email.message.Message()
    message["A"] = "1"
    message["A"] = "2"
    assert there_and_back(message).items() == message.items()


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (OrderedDict(a=1), {"a": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        ({1: 2}, {"1": 2}),
        ({Color.RED: 2}, {"red": 2}),
        (Line("a", DAY), ["a", "2024-01-01"]),
        ({(1, 2): 3}, [[[1, 2], 3]]),
    ],
    ids=str,
)
def test_container_is_written_as_the_nearest_json(codec, wire, value, plain):
    assert wire(codec.encode_value(value)) == plain


def test_set_gives_the_same_text_in_any_order(codec):
    one, other = {f"k{i}" for i in range(50)}, {f"k{i}" for i in reversed(range(50))}
    assert codec.encode_value(one) == codec.encode_value(other)


def test_uniform_list_costs_one_annotation(codec):
    short = codec.encode_value([Line(str(i)) for i in range(2)])
    long = codec.encode_value([Line(str(i)) for i in range(500)])
    assert long.headers == short.headers
    assert len(short.headers[TYPES_HEADER]) < 150


def test_members_of_a_shared_list_become_lists_of_their_own(there_and_back):
    shared = [DAY]
    found = there_and_back([shared, shared])
    found[0].append(1)
    assert found[1] == [DAY]


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (collections.UserDict(), "return a dataclass"),
        (type("Basket", (list,), {})(), r"convert it with list\(\.\.\.\)"),
        (type("Config", (dict,), {})(), r"convert it with dict\(\.\.\.\)"),
        (memoryview(b"x"), r"convert it with bytes\(\.\.\.\)"),
    ],
    ids=["UserDict", "list", "dict", "memoryview"],
)
def test_container_of_the_users_is_refused_with_advice(codec, value, advice):
    with pytest.raises(EncodeError, match=advice):
        codec.encode_value({"x": value})


def test_part_that_cannot_be_stored_is_named_by_its_path(codec):
    with pytest.raises(EncodeError) as refused:
        codec.encode_value({"a": [1, {"b": (2, object())}]})
    assert str(refused.value).startswith("value['a'][1]['b'][1] cannot be stored: an instance of builtins.object")


def test_long_path_is_cut_in_the_middle(codec):
    value = object()
    for number in range(40):
        value = {f"k{number}": value}
    with pytest.raises(EncodeError, match=r"value\['k39'\].*\.\.\.\['k5'\].*\['k0'\] cannot"):
        codec.encode_value(value)


def generator():
    yield 1


async def coroutine():
    return 1


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (generator, r"return list\(\.\.\.\) of it"),
        (lambda: len, "pass its name"),
        (lambda: int, "pass its name"),
        (lambda: io.StringIO("x"), "pass its path"),
        (lambda: map(str, []), r"return list"),
        (lambda: types.MappingProxyType({}), "return a dataclass"),
    ],
    ids=["generator", "function", "class", "file", "map", "proxy"],
)
def test_thing_that_is_no_data_is_refused_with_advice(codec, make, advice):
    thing = make()
    try:
        with pytest.raises(EncodeError, match=advice):
            codec.encode_value([thing])
    finally:
        getattr(thing, "close", lambda: None)()


def test_coroutine_is_refused_and_says_await(codec):
    forgotten = coroutine()
    with pytest.raises(EncodeError, match="await it inside the step"):
        codec.encode_value(forgotten)
    forgotten.close()


def test_dict_that_changes_while_it_is_read_is_an_encode_error(codec):
    class Growing:
        def __hash__(self):
            return 1

    value = {}

    class Evil(dt.date):
        @property
        def year(self):
            value[len(value) + 10] = 1
            return 2024

    value[1] = Evil(2024, 1, 1)
    with pytest.raises(EncodeError, match="changed"):
        codec.encode_value(value)
