"""Plain JSON of foreign writers, read by the annotation of the function that receives it."""

from __future__ import annotations

import base64
import collections
import collections.abc as cabc
import datetime as dt
import decimal
import enum
import fractions
import math
import pathlib
import sys
import typing
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest

from resonate_core.codec import Codec
from resonate_core.errors import DecodeError
from resonate_core.protocol.records import Value

if typing.TYPE_CHECKING:
    from nowhere import Unknown

T = TypeVar("T")
K = TypeVar("K")
B = TypeVar("B", bound=dt.date)
UserId = NewType("UserId", int)
Due = NewType("Due", dt.date)
DAY = dt.date(2024, 1, 2)


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


@dataclass
class Item:
    sku: str
    due: dt.date | None = None


@dataclass
class Order:
    items: list[Item]
    total: decimal.Decimal = decimal.Decimal(0)
    made: int = field(default=0, init=False)


@dataclass
class Strict:
    count: int

    def __post_init__(self):
        if self.count < 0:
            raise LookupError("count is negative")


@dataclass
class Tree:
    day: dt.date
    children: list[Tree] = field(default_factory=list)


@dataclass
class Page(Generic[T]):
    items: list[T]
    first: T | None = None
    extra: Optional[dict[str, T]] = None  # noqa: UP045 - users write this too


@dataclass
class Named(Page[T], Generic[K, T]):
    key: K | None = None


@dataclass
class Days(Named[uuid.UUID, dt.date]):
    pass


@dataclass
class HalfKnown:
    day: dt.date
    other: Unknown | None = None


class Line(NamedTuple):
    sku: str
    due: dt.date = DAY


class Movie(TypedDict, total=False):
    title: str
    released: typing.Required[dt.date]
    sequel: Movie


class Box(TypedDict, Generic[T]):
    content: T


class Struct(msgspec.Struct, rename="camel"):
    line_items: list[Item]
    day: dt.date | None = None


class GenericStruct(msgspec.Struct, Generic[T]):
    item: T


@attrs.define
class Attrs:
    day: dt.date
    item: Item | None = None


class Model(pydantic.BaseModel):
    day: dt.date
    count: int = pydantic.Field(default=1, alias="n")


class GenericModel(pydantic.BaseModel, Generic[T]):
    items: list[T]


class Small(pydantic.BaseModel):
    a: int


class Large(pydantic.BaseModel):
    a: int
    b: int = 0


@dataclass
class SmallData:
    a: int


@dataclass
class LargeData:
    a: int
    b: int = 0


class OrderId(str):
    __slots__ = ()


ISO = "2024-01-02"
UID = uuid.UUID(int=5)

CASES = [
    (ISO, dt.date, DAY),
    ("2024-01-02T03:04:05Z", dt.datetime, dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
    ("03:04", dt.time, dt.time(3, 4)),
    (90, dt.timedelta, dt.timedelta(seconds=90)),
    ("PT90S", dt.timedelta, dt.timedelta(seconds=90)),
    (str(UID), uuid.UUID, UID),
    ("1.10", decimal.Decimal, decimal.Decimal("1.10")),
    (1.1, decimal.Decimal, decimal.Decimal("1.1")),
    (3, decimal.Decimal, decimal.Decimal(3)),
    ("1/3", fractions.Fraction, fractions.Fraction(1, 3)),
    ("aGk=", bytes, b"hi"),
    ("/a", pathlib.Path, pathlib.Path("/a")),
    ("/a", pathlib.PurePosixPath, pathlib.PurePosixPath("/a")),
    ("red", Color, Color.RED),
    ("BLUE", Color, Color.BLUE),
    (2, Color, Color.BLUE),
    (3, float, 3.0),
    ("__INF__", float, math.inf),
    (3, int, 3),
    (3.5, int, 3.5),
    (2**53 + 1, float, 2**53 + 1),
    (10**400, float, 10**400),
    ("x", OrderId, "x"),
    ({"sku": "a", "due": ISO}, Item, Item("a", DAY)),
    ({"sku": "a", "unknown": 1}, Item, Item("a")),
    ({"items": [{"sku": "a"}], "total": 1.5}, Order, Order([Item("a")], decimal.Decimal("1.5"))),
    ({"day": ISO, "children": [{"day": ISO}]}, Tree, Tree(DAY, [Tree(DAY)])),
    ({"items": [ISO], "first": ISO, "extra": {"a": ISO}}, Page[dt.date], Page([DAY], DAY, {"a": DAY})),
    ({"items": [{"items": [ISO]}]}, Page[Page[dt.date]], Page([Page([DAY])])),
    ({"items": [ISO], "key": str(UID)}, Days, Days([DAY], key=UID)),
    ({"items": [ISO], "key": str(UID)}, Named[uuid.UUID, dt.date], Named([DAY], key=UID)),
    ({"items": [ISO]}, Page, Page([ISO])),
    ({"day": ISO, "other": 1}, HalfKnown, HalfKnown(DAY, 1)),
    (["a", ISO], Line, Line("a", DAY)),
    ({"sku": "a", "due": ISO}, Line, Line("a", DAY)),
    (
        {"title": "x", "released": ISO, "sequel": {"released": ISO}, "more": 1},
        Movie,
        {"title": "x", "released": DAY, "sequel": {"released": DAY}, "more": 1},
    ),
    ({"content": ISO}, Box[dt.date], {"content": DAY}),
    ({"lineItems": [{"sku": "a", "due": ISO}], "day": ISO}, Struct, Struct([Item("a", DAY)], DAY)),
    ({"item": {"sku": "a"}}, GenericStruct[Item], GenericStruct(Item("a"))),
    ({"day": ISO, "item": {"sku": "a"}}, Attrs, Attrs(DAY, Item("a"))),
    ({"day": ISO, "n": 3}, Model, Model(day=DAY, n=3)),
    ({"day": ISO, "count": 3}, Model, Model(day=DAY, n=3)),
    ({"items": [{"sku": "a"}]}, GenericModel[Item], GenericModel[Item](items=[Item("a")])),
    ([ISO], list[dt.date], [DAY]),
    ([ISO], typing.List[dt.date], [DAY]),  # noqa: UP006 - users write this too
    ([ISO], cabc.Sequence[dt.date], [DAY]),
    ([ISO], cabc.Iterable[dt.date], [DAY]),
    ([ISO, ISO], tuple[dt.date, ...], (DAY, DAY)),
    ([1, ISO], tuple[int, dt.date], (1, DAY)),
    ([1], tuple, (1,)),
    ([1, 1], set, {1}),
    ([ISO], set[dt.date], {DAY}),
    ([ISO], frozenset[dt.date], frozenset((DAY,))),
    ([ISO], cabc.Set[dt.date], frozenset((DAY,))),
    ([ISO], collections.deque[dt.date], collections.deque([DAY])),
    ({"1": ISO}, dict[int, dt.date], {1: DAY}),
    ({ISO: 1}, dict[dt.date, int], {DAY: 1}),
    ({"a": ISO}, cabc.Mapping[str, dt.date], {"a": DAY}),
    ({"a": 1}, collections.OrderedDict[str, int], collections.OrderedDict(a=1)),
    ({"a": 1}, collections.Counter[str], collections.Counter(a=1)),
    ({"a": [ISO]}, collections.defaultdict[str, list[dt.date]], collections.defaultdict(None, {"a": [DAY]})),
    (ISO, Optional[dt.date], DAY),  # noqa: UP045
    (None, dt.date, None),
    (None, list[dt.date], None),
    (ISO, dt.date | None, DAY),
    (ISO, Annotated[dt.date, "note"], DAY),
    (ISO, Annotated[dt.date, ["unhashable"]], DAY),
    (ISO, typing.Final[dt.date], DAY),
    (ISO, Due, DAY),
    (5, UserId, 5),
    (ISO, B, DAY),
    ("a", T, "a"),
    ("a", Literal["a"], "a"),
    ("a", "Unknown", "a"),
    ("a", Any, "a"),
    ("a", object, "a"),
    ({"a": 1}, dict, {"a": 1}),
    ({"sku": "a"}, Item | Strict, Item("a")),
    ({"count": 1}, Item | Strict | None, Strict(1)),
    ({"a": 1, "b": 2}, SmallData | LargeData, LargeData(1, 2)),
    ({"a": 1}, SmallData | LargeData, SmallData(1)),
    ({"a": 1, "b": 2}, Small | Large, Large(a=1, b=2)),
    ([{"sku": "a"}], list[Item] | Item, [Item("a")]),
    ({"sku": "a"}, list[Item] | Item, Item("a")),
    ({"a": ISO}, list[dt.date] | dict[str, dt.date], {"a": DAY}),
    ([ISO], dict[str, dt.date] | list[dt.date], [DAY]),
    ([1, 2], dt.date | list[int], [1, 2]),
    ({"a": 1}, Item | dict[str, int], {"a": 1}),
    ("a", Item | Literal["a"], "a"),
    (ISO, int | dt.date, DAY),
    (ISO, str | dt.date, ISO),
    ("free text", dt.date | str, "free text"),
    (5, dt.date | int, 5),
    ("x", int | str, "x"),
    ("wrong", dict[str, int], "wrong"),
    ({"a": 1}, list[dt.date], {"a": 1}),
    (5, tuple[int, int], 5),
]


@pytest.mark.parametrize(("plain", "hint", "value"), CASES, ids=lambda part: str(part)[:40])
def test_plain_json_becomes_what_the_annotation_says(codec, plain, hint, value):
    found = codec.decode_value(codec.encode_value(plain), hint)
    assert found == value
    assert type(found) is type(value)


def test_field_that_the_constructor_does_not_take_is_set(codec):
    found = codec.decode_value(codec.encode_value({"items": [], "made": 4}), Order)
    assert found.made == 4


@pytest.mark.parametrize(
    ("plain", "hint", "text"),
    [
        ("soon", dt.date, "value: expected date, found 'soon'"),
        ([{"sku": "a", "due": "soon"}], list[Item], r"value\[0\]\.due: .*expected date, found 'soon'"),
        ({"a": ["x"]}, dict[str, list[uuid.UUID]], r"value\['a'\]\[0\]: expected UUID, found 'x'"),
        ({"x": 1}, dict[int, int], "expected a whole number as key, found 'x'"),
        ("green", Color, r"expected one of Color \('red', 2\), found 'green'"),
        ({}, Item, "value: Item needs sku, found only nothing"),
        ({"skus": 1}, Item, "value: Item needs sku, found only skus"),
        ([1], Item, r"expected an object for Item, found \[1\]"),
        ({"count": -1}, Strict, "Strict refused {'count': -1}: count is negative"),
        ({"day": "soon"}, Model, "expected Model, found {'day': 'soon'}"),
        ({"day": "soon"}, Attrs, "expected Attrs, found {'day': 'soon'}"),
        ({"lineItems": 1}, Struct, "expected Struct, found {'lineItems': 1}"),
        ([1, 2, 3], tuple[int, int], "expected 2 members, found 3"),
        ([1, 2, 3], Line, "expected 2 members of Line"),
        ([1.5], Item | Strict, r"no member of the union fits \[1.5\] \(Item: .*; Strict: .*\)"),
    ],
    ids=str,
)
def test_plain_json_that_does_not_fit_is_a_decode_error_that_names_the_part(codec, plain, hint, text):
    with pytest.raises(DecodeError, match=text):
        codec.decode_value(codec.encode_value(plain), hint)


class Picky(enum.Enum):
    A = 1

    @classmethod
    def _missing_(cls, value):
        raise LookupError(f"no such thing as {value}")


def test_code_of_users_that_fails_while_reading_is_a_decode_error(codec):
    with pytest.raises(DecodeError, match=r"found 5 \(LookupError: no such thing as 5\)"):
        codec.decode_value(codec.encode_value(5), Picky)


def test_value_with_types_of_its_own_is_not_changed_by_an_annotation(codec):
    payload = codec.encode_value((Item("a"), DAY))
    assert codec.decode_value(payload, list[str]) == (Item("a"), DAY)


def test_recursive_annotation_and_deep_json_is_a_decode_error_not_a_crash(codec):
    text = '{"day":"2024-01-02","children":[' * 400 + "]}" * 400
    payload = Value(None, base64.b64encode(text.encode()).decode())
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(600)
    try:
        with pytest.raises(DecodeError, match=r"nested too deep|not JSON"):
            codec.decode_value(payload, Tree)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement is new in Python 3.12")
def test_type_statement_that_names_itself_is_followed(codec):
    space = {"dt": dt}
    exec("type Days = list[dt.date] | dict[str, Days]", space)
    found = codec.decode_value(codec.encode_value({"a": {"b": [ISO]}}), space["Days"])
    assert found == {"a": {"b": [DAY]}}


def test_class_inside_a_function_is_read_by_its_annotation(codec):
    @dataclass
    class Local:
        when: dt.date

    assert codec.decode_value(codec.encode_value({"when": ISO}), Local) == Local(DAY)


def test_conversion_does_not_change_what_it_reads():
    codec = Codec()
    payload = codec.encode_value({"items": [{"sku": "a", "due": ISO}]})
    first, second = (codec.decode_value(payload, Order) for _ in range(2))
    assert first == second
    assert first.items[0] is not second.items[0]
