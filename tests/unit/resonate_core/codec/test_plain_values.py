from __future__ import annotations

import base64
import datetime as dt
import math
from typing import Any

import pytest

from resonate_core.codec import TYPES_HEADER, Codec
from resonate_core.codec.plain import DEPTH_MAX
from resonate_core.errors import DecodeError, EncodeError
from resonate_core.protocol.records import EMPTY, Value


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (42, "NDI="),
        ("hello Ada", "ImhlbGxvIEFkYSI="),
        ({"a": [1, None, True]}, "eyJhIjpbMSxudWxsLHRydWVdfQ=="),
    ],
)
def test_plain_value_is_base64_of_compact_json_without_headers(codec, value, data):
    assert codec.encode_value(value) == Value(None, data)


def test_none_has_no_data(codec):
    assert codec.encode_value(None) is EMPTY


@pytest.mark.parametrize("stored", [Value(), Value({}, ""), Value({}, None), Value(None, "bnVsbA==")])
def test_absent_empty_and_null_data_read_as_none(codec, stored):
    assert codec.decode_value(stored) is None
    assert codec.decode_value(stored, int) is None


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        2**63,
        2**64 + 1,
        -(2**90),
        10**400,
        0.1,
        -0.0,
        5e-324,
        1.7976931348623157e308,
        1e22,
        1.0,
        "",
        "\x00",
        "é漢😀",
        "\ud800 alone",
        {"\udfff": "\ud800"},
        {"": {"": []}},
        [[], {}, [{}]],
        False,
    ],
    ids=ascii,
)
def test_plain_value_comes_back_with_its_exact_type(codec, value):
    payload = codec.encode_value(value)
    found = codec.decode_value(payload)
    assert payload.headers is None
    assert repr(found) == repr(value)


def test_whole_float_stays_a_float(there_and_back):
    assert type(there_and_back([2.0])[0]) is float


def test_number_beyond_the_digits_python_prints_comes_back(there_and_back):
    value = 7**9_000
    assert there_and_back([value, -value]) == [value, -value]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_number_that_json_lacks_comes_back(codec, value):
    found = codec.decode_value(codec.encode_value({"x": value}))["x"]
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_infinity_is_written_as_typescript_writes_it(codec, wire):
    assert wire(codec.encode_value([math.inf, -math.inf])) == ["__INF__", "__NEG_INF__"]


def test_text_that_looks_like_infinity_stays_text(there_and_back):
    assert there_and_back("__INF__") == "__INF__"


def test_value_that_looks_like_an_error_stays_a_dict(there_and_back):
    value = {"__type": "error", "message": "no"}
    assert there_and_back(value) == value


def test_depth_at_the_limit_is_stored(there_and_back):
    assert there_and_back(nested(DEPTH_MAX - 1)) == nested(DEPTH_MAX - 1)


@pytest.mark.parametrize("value", [nested(DEPTH_MAX + 1), nested(100_000)], ids=["above", "far above"])
def test_depth_beyond_the_limit_is_refused_with_a_short_path(codec, value):
    with pytest.raises(EncodeError, match=f"nested deeper than {DEPTH_MAX} levels") as refused:
        codec.encode_value(value)
    assert len(str(refused.value)) < 300


def test_cycle_is_refused(codec):
    value = {"me": []}
    value["me"].append(value)
    with pytest.raises(EncodeError, match="contains itself"):
        codec.encode_value(value)


def test_foreign_depth_beyond_all_limits_is_a_decode_error(codec):
    deep = base64.b64encode(b"[" * 200_000 + b"]" * 200_000).decode()
    with pytest.raises(DecodeError, match="not JSON"):
        codec.decode_value(Value(None, deep))


@pytest.mark.parametrize("text", ["NaN", "[Infinity, -Infinity]"])
def test_json_that_only_python_writes_is_read(codec, text):
    assert codec.decode_value(Value(None, base64.b64encode(text.encode()).decode())) is not None


@pytest.mark.parametrize("data", ["not base64!", "NDI", "NDI=\n"])
def test_data_that_is_no_base64_is_a_decode_error_that_shows_it(codec, data):
    with pytest.raises(DecodeError, match="stored data is not base64: expected base64 of JSON, found '"):
        codec.decode_value(Value(None, data))


def test_data_that_is_no_json_is_a_decode_error_that_says_what_to_do(codec):
    with pytest.raises(DecodeError, match=r"not JSON: expected JSON text, found b'ok' .* text needs its quotes"):
        codec.decode_value(Value(None, "b2s="))


def test_payload_above_the_limit_is_refused_with_both_sizes():
    codec = Codec(max_bytes=100)
    codec.encode_value("x" * 70)
    with pytest.raises(EncodeError, match=r"has 108 bytes, the store takes at most 100; store the content elsewhere"):
        codec.encode_value("x" * 77)


def test_limit_counts_the_type_annotations_too():
    codec = Codec(max_bytes=100)
    with pytest.raises(EncodeError, match="the store takes at most 100"):
        codec.encode_value([(1,), {2}, b"3", 4j, frozenset((5,)), range(6), (7,), {8}])


@pytest.mark.parametrize(
    "header", ["{", "5", "null", "{}", '["tuple"]', '[null,{"x":"tuple"}]', '"nonsense"', '"deque/x"', '[["set"],null]']
)
def test_damaged_type_annotation_is_a_decode_error(codec, header):
    with pytest.raises(DecodeError):
        codec.decode_value(Value({TYPES_HEADER: header}, "WzFd"))


def test_headers_of_others_are_ignored(codec):
    assert codec.decode_value(Value({"resonate:format-py": "whatever"}, "NDI=")) == 42


def test_reading_twice_gives_objects_of_their_own(codec):
    payload = codec.encode_value({"a": [1]})
    codec.decode_value(payload)["a"].append(2)
    assert codec.decode_value(payload) == {"a": [1]}


@pytest.mark.parametrize(
    ("value", "hint", "is_same"),
    [
        ("a", str, True),
        ("a", Any, True),
        (None, None, True),
        (1, int, True),
        (1, float, False),
        ("2024-01-01", dt.date, False),
        ("a", dt.date | str, False),
        ([1], Any, False),
        (True, bool, True),
    ],
)
def test_value_reads_the_same_only_if_no_annotation_could_change_it(codec, value, hint, is_same):
    assert codec.reads_same(value, hint) is is_same
