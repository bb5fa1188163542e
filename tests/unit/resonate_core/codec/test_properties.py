"""For any value made of supported types: what comes back is the value, type for type, whoever reads it and when."""

from __future__ import annotations

import base64
import collections
import contextlib
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import json
import math
import os
import pathlib
import uuid
import zoneinfo
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import pydantic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_core.codec import AesGcmEncryptor, Codec
from resonate_core.codec.plain import is_plain
from resonate_core.errors import CodecError, DecodeError
from resonate_core.protocol.records import Value

quick = settings(
    deadline=None,
    max_examples=60,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

CODEC = Codec()
SEALED = Codec(encryptor=AesGcmEncryptor({"k": bytes(32)}, "k"))


class Color(enum.Enum):
    RED = "red"
    TWO = 2
    ODD = (1, "x")


class Mode(enum.Flag):
    R = 1
    W = 2


class Point(NamedTuple):
    x: object
    y: object = None


@dataclass
class Data:
    a: object
    b: list = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    a: object


class Struct(msgspec.Struct):
    a: object
    b: object = msgspec.UNSET


class Model(pydantic.BaseModel):
    a: object
    b: object = 1


class OrderId(str):
    __slots__ = ()


class Failure(Exception):  # noqa: N818 - a name of users
    def __init__(self, *, a, b):
        super().__init__(a)
        self.b = b


text = st.text(st.characters(exclude_categories=()), max_size=8)
numbers = st.integers() | st.integers(min_value=-(2**70), max_value=2**70) | st.booleans()
json_values = st.recursive(
    st.none() | numbers | text | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
zones = st.sampled_from([None, dt.UTC, zoneinfo.ZoneInfo("Europe/Berlin"), dt.timezone(dt.timedelta(minutes=-90))])
hashables = (
    st.none()
    | numbers
    | text
    | st.floats(allow_nan=False)
    | st.binary(max_size=4)
    | st.dates()
    | st.datetimes(timezones=zones, allow_imaginary=False)
    | st.builds(lambda time, fold: time.replace(fold=fold), st.times(), st.sampled_from([0, 1]))
    | st.timedeltas()
    | st.uuids()
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.complex_numbers(allow_nan=False)
    | st.ip_addresses()
    | st.sampled_from([*Color, Mode.R, Mode.R | Mode.W, ..., OrderId("o"), pathlib.Path("/a"), range(3)])
)
keys = hashables | st.tuples(hashables) | st.frozensets(hashables, max_size=2) | st.builds(Frozen, hashables)


def containers(inner):
    mappings = st.dictionaries(keys, inner, max_size=3) | st.dictionaries(st.integers(), inner, max_size=3)
    return (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(keys, max_size=3)
        | st.frozensets(keys, max_size=3)
        | mappings
        | st.dictionaries(text, inner, max_size=3)
        | st.builds(collections.deque, st.lists(inner, max_size=3), st.none() | st.integers(3, 9))
        | st.builds(collections.OrderedDict, mappings)
        | st.builds(lambda items: collections.defaultdict(list, items), mappings)
        | st.builds(collections.Counter, st.lists(keys, max_size=3))
        | st.builds(Point, inner, inner)
        | st.builds(Data, inner, st.lists(inner, max_size=2))
        | st.builds(Frozen, inner)
        | st.builds(Struct, inner)
        | st.builds(Model, a=inner)
    )


values = st.recursive(hashables | st.builds(bytearray, st.binary(max_size=3)), containers, max_leaves=10)


def shape(value):
    """Describe a value so that two descriptions are equal only for values that are alike in every type."""
    kind = type(value)
    if isinstance(value, dict):
        return kind, [(shape(key), shape(item)) for key, item in value.items()]
    if isinstance(value, set | frozenset):
        return kind, sorted(repr(shape(item)) for item in value)
    if isinstance(value, list | tuple | collections.deque):
        return kind, getattr(value, "maxlen", None), [shape(item) for item in value]
    if isinstance(value, dt.datetime | dt.time):
        return kind, value.isoformat(), value.fold, value.tzinfo
    if isinstance(value, Data | Frozen | Struct | Model):
        return kind, shape(value.a), shape(getattr(value, "b", None))
    return kind, repr(value)


@quick
@given(values)
def test_any_value_comes_back_type_for_type(value):
    assert shape(CODEC.decode_value(CODEC.encode_value(value))) == shape(value)


@quick
@given(values)
def test_any_value_comes_back_through_encryption(value):
    assert shape(SEALED.decode_value(SEALED.encode_value(value))) == shape(value)


@quick
@given(values)
def test_any_value_is_stored_the_same_when_it_came_back(value):
    once = CODEC.encode_value(value)
    assert CODEC.encode_value(CODEC.decode_value(once)) == once or contains_sets(value)


def contains_sets(value):
    return "set" in repr(shape(value))


@quick
@given(values)
def test_any_data_is_strict_json_that_others_read(value):
    payload = CODEC.encode_value(value)
    if payload.data:
        json.loads(base64.b64decode(payload.data), parse_constant=refuse)


def refuse(name):
    raise AssertionError(f"{name} is no JSON")


@quick
@given(json_values)
def test_json_values_need_no_header_and_are_what_the_standard_library_reads(value):
    assert is_plain(value)
    payload = CODEC.encode_value(value)
    assert payload.headers is None
    assert value is None or shape(json.loads(base64.b64decode(payload.data))) == shape(value)


@quick
@given(json_values)
def test_json_of_the_standard_library_is_read(value):
    data = base64.b64encode(json.dumps(value).encode()).decode()
    assert shape(CODEC.decode_value(Value(None, data))) == shape(value)


@quick
@given(values, values)
def test_value_is_plain_exactly_if_it_has_no_header(first, second):
    value = [first, {"k": second}]
    assert is_plain(value) == (CODEC.encode_value(value).headers is None)


@quick
@given(st.lists(values, max_size=3), st.dictionaries(text, values, max_size=2), st.integers(1, 9))
def test_any_call_comes_back(args, kwargs, version):
    call = CODEC.decode_invocation(CODEC.encode_invocation("f", tuple(args), kwargs, version, {}))
    assert (call.func, call.version) == ("f", version)
    assert shape(call.args) == shape(tuple(args))
    assert shape(call.kwargs) == shape(kwargs)


@quick
@given(values, values)
def test_any_error_comes_back_with_its_parts(first, second):
    found = CODEC.decode_error(CODEC.encode_error(Failure(a=first, b=second)))
    assert type(found) is Failure
    assert shape(found.args[0]) == shape(first)
    assert shape(found.b) == shape(second)


@quick
@given(json_values, json_values)
def test_any_header_and_data_give_a_value_or_a_decode_error(header, plain):
    payload = Value({"resonate:types": json.dumps(header)}, base64.b64encode(json.dumps(plain).encode()).decode())
    with contextlib.suppress(DecodeError):
        CODEC.decode_value(payload)


tags = st.sampled_from(
    [
        "tuple",
        "set",
        "pairs",
        "deque",
        "deque/2",
        "defaultdict/list",
        "odict",
        "counter",
        "namespace",
        "headers",
        "error",
    ]
    + ["float", "int", "datetime", "time+fold", "fraction", "range", "cause", "not stored", "zone", "unset", "complex"]
    + [f"{cls.__module__}:{cls.__qualname__}" for cls in (Color, Point, Data, Frozen, Struct, Model, OrderId, Failure)]
    + ["builtins:ValueError", "builtins:OSError", "builtins:ExceptionGroup", "builtins:eval", "os:system"]
)
nodes = st.recursive(
    tags,
    lambda inner: st.tuples(
        st.none() | tags, st.none() | st.dictionaries(st.sampled_from("ab01"), inner) | st.lists(inner, max_size=2)
    ).map(list),
    max_leaves=4,
)


@settings(quick, max_examples=300)
@given(nodes, json_values)
def test_hostile_annotation_gives_a_value_or_a_decode_error(node, plain):
    payload = Value({"resonate:types": json.dumps(node)}, base64.b64encode(json.dumps(plain).encode()).decode())
    for read in (CODEC.decode_value, CODEC.decode_error):
        with contextlib.suppress(DecodeError):
            read(payload)


@settings(quick, max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(["args", "state", "members", "notes", "cause", "errors", "validation"]), json_values
    ),
    tags,
)
def test_hostile_error_object_gives_an_error(parts, name):
    plain = {"__type": "error", "message": "m", "class": name} | parts
    try:
        found = CODEC.decode_error(CODEC.encode_value(plain))
    except CodecError:
        return
    assert isinstance(found, Exception)
    assert str(found) is not None


lines = st.tuples(
    st.sampled_from(["int_parsing", "missing", "value_error", "greater_than", "own kind"]) | json_values,
    st.lists(text | st.integers(), max_size=2) | json_values,
    json_values,
    st.dictionaries(st.sampled_from(["gt", "error", "expected"]), json_values) | json_values,
    text | json_values,
).map(list)


@settings(quick, max_examples=200)
@given(text | json_values, st.lists(lines | json_values, max_size=2))
def test_hostile_validation_error_gives_an_error(title, parts):
    plain = {"__type": "error", "message": "m", "class": "any:Any", "validation": [title, parts]}
    found = CODEC.decode_error(CODEC.encode_value(plain))
    assert isinstance(found, Exception)
    assert str(found) is not None


@quick
@given(st.binary(max_size=40))
def test_any_bytes_give_a_value_or_a_decode_error(body):
    for codec in (CODEC, SEALED):
        with contextlib.suppress(DecodeError):
            codec.decode_value(Value(None, base64.b64encode(body).decode()))


def test_shapes_of_unlike_values_differ():
    unlike = [1, 1.0, True, "1", b"1", (1,), [1], {1}, frozenset((1,)), {1: 1}, math.inf, decimal.Decimal(1)]
    unlike += [fractions.Fraction(1), uuid.UUID(int=1), ipaddress.ip_address(1), Data(1), Frozen(1), Struct(1)]
    shapes = [repr(shape(value)) for value in unlike]
    assert len(set(shapes)) == len(shapes)
