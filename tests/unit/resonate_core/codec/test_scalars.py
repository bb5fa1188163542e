from __future__ import annotations

import datetime as dt
import decimal
import fractions
import ipaddress
import math
import pathlib
import uuid
import zoneinfo

import msgspec
import pytest

from resonate_core.errors import DecodeError, EncodeError
from resonate_core.protocol.records import Value

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
AMBIGUOUS = dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN)


class OrderId(str):
    __slots__ = ()


class Cents(int):
    pass


class Ratio(float):
    pass


class Token(bytes):
    pass


class Money(decimal.Decimal):
    pass


class Tagged(str):  # noqa: SLOT000 - it has attributes on purpose
    def __init__(self, text):
        self.tag = text


class Moment(dt.datetime):
    pass


VALUES = [
    b"",
    b"\x00\xff",
    bytearray(b"ab"),
    dt.datetime(2024, 2, 29, 1, 2, 3, 4),  # noqa: DTZ001 - naive on purpose
    dt.datetime(2024, 2, 29, tzinfo=dt.UTC),
    dt.datetime(2024, 2, 29, 12, tzinfo=dt.timezone(-dt.timedelta(hours=9, minutes=30))),
    dt.datetime(2024, 2, 29, 12, tzinfo=BERLIN),
    dt.datetime(1880, 1, 1, tzinfo=BERLIN),
    dt.datetime.min,  # noqa: DTZ901
    dt.datetime.max,  # noqa: DTZ901
    dt.date(2024, 2, 29),
    dt.time(1, 2, 3, 4),
    dt.time(1, tzinfo=dt.UTC),
    dt.time(1, 30, tzinfo=BERLIN),
    dt.timedelta.max,
    dt.timedelta.min,
    dt.timedelta(microseconds=-1),
    dt.timedelta(),
    dt.timezone(dt.timedelta(hours=5, minutes=45)),
    BERLIN,
    uuid.UUID(int=2**128 - 1),
    decimal.Decimal("1.10"),
    decimal.Decimal("-0E-7"),
    decimal.Decimal("Infinity"),
    decimal.Decimal("9" * 6_000),
    fractions.Fraction(-1, 3),
    1 - 2j,
    complex(-0.0, math.inf),
    range(3, 100, 7),
    pathlib.Path("/a/b c"),
    pathlib.PurePosixPath("x"),
    pathlib.PureWindowsPath("C:\\x"),
    ipaddress.ip_address("10.0.0.1"),
    ipaddress.ip_address("::1"),
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_interface("10.0.0.1/8"),
    ...,
    msgspec.UNSET,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}-{value!s:.24}")
def test_scalar_comes_back_as_itself(there_and_back, value):
    found = there_and_back([value])[0]
    assert type(found) is type(value)
    assert repr(found) == repr(value)


@pytest.mark.parametrize("fold", [0, 1])
def test_hour_that_happens_twice_keeps_which_of_both_it_was(there_and_back, fold):
    moment = AMBIGUOUS.replace(fold=fold)
    found = there_and_back(moment)
    assert (found.fold, found.utcoffset(), found.tzinfo) == (fold, moment.utcoffset(), BERLIN)


def test_fold_of_a_naive_time_is_kept(there_and_back):
    assert there_and_back(dt.time(2, 30, fold=1)).fold == 1


def test_fraction_beyond_the_digits_python_prints_comes_back(there_and_back):
    assert there_and_back(fractions.Fraction(7**9_000, 3)) == fractions.Fraction(7**9_000, 3)


def test_not_a_number_decimal_comes_back(there_and_back):
    assert there_and_back(decimal.Decimal("NaN")).is_nan()


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (b"hi", "aGk="),
        (dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), "2024-01-02T03:00:00+00:00"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        (dt.timedelta(hours=1), "PT3600S"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (OrderId("a"), "a"),
        (Cents(5), 5),
    ],
    ids=str,
)
def test_scalar_is_written_as_other_sdks_write_it(codec, wire, value, plain):
    assert wire(codec.encode_value(value)) == plain


@pytest.mark.parametrize(
    "value",
    [OrderId("a"), OrderId("\ud800"), Cents(5), Cents(2**9_000), Ratio(1.5), Ratio("inf"), Token(b"x"), Money("1.10")],
    ids=lambda value: type(value).__name__,
)
def test_subclass_of_a_scalar_comes_back_as_its_class(there_and_back, value):
    found = there_and_back({"x": value})["x"]
    assert type(found) is type(value)
    assert found == value


def test_constructor_of_a_scalar_subclass_does_not_run_again(there_and_back, monkeypatch):
    monkeypatch.setattr(Cents, "__init__", lambda *_: pytest.fail("constructor ran"), raising=False)
    value = int.__new__(Cents, 3)
    assert type(there_and_back([value])[0]) is Cents


def test_scalar_subclass_with_attributes_is_stored_as_what_it_equals(there_and_back):
    found = there_and_back(Tagged("a"))
    assert (type(found), found) == (str, "a")


def test_scalar_subclass_inside_a_function_is_stored_as_what_it_equals(there_and_back):
    class Local(int):
        pass

    assert type(there_and_back(Local(4))) is int


def test_subclass_of_datetime_is_stored_as_the_datetime_it_equals(there_and_back):
    found = there_and_back(Moment(2024, 1, 1, tzinfo=BERLIN))
    assert (type(found), found.tzinfo) == (dt.datetime, BERLIN)


def test_subclass_that_is_more_than_its_base_is_refused(codec):
    class Precise(dt.datetime):
        def __eq__(self, other):
            return isinstance(other, Precise)

        __hash__ = dt.datetime.__hash__

    with pytest.raises(EncodeError, match=r"value\['at'\] cannot be stored: a .*Precise holds more than the datetime"):
        codec.encode_value({"at": Precise(2024, 1, 1)})


def test_stored_fraction_with_a_huge_exponent_is_refused(codec):
    with pytest.raises(DecodeError, match="exponent"):
        codec.decode_value(Value({"resonate:types": '"fraction"'}, "IjFlOTk5OTk5OSI="))


def test_time_zone_that_is_unknown_here_is_a_decode_error(codec):
    with pytest.raises(DecodeError, match="Mars"):
        codec.decode_value(Value({"resonate:types": '"datetime@Mars/Base"'}, codec.encode_value("2024-01-01").data))
