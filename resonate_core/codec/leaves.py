"""Scalar types beyond JSON: how each is written in plain JSON, and how it is read back exactly.

The plain form is what the official SDKs write for the same type, so that a reader with a type annotation understands it
without our header: ISO 8601 for times, base64 for bytes, digits for decimals, ``__INF__`` for infinity.
"""

from __future__ import annotations

import binascii
import datetime as dt
import decimal
import fractions
import ipaddress
import math
import pathlib
import uuid
import zoneinfo
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

INFINITY: Final = "__INF__"
NEGATIVE_INFINITY: Final = "__NEG_INF__"

#: Beyond this many bits Python refuses to print an int in decimal by default.
_DECIMAL_BITS_MAX: Final = 8_192


class Leaf(NamedTuple):
    """Both directions of one scalar type; ``write`` returns plain JSON and the tag to read it by, often ``tag``."""

    tag: str
    write: Callable[[Any], tuple[Any, str | None]]
    read: Callable[[Any], Any]


def write_float(value: float) -> tuple[Any, str | None]:
    """JSON has no infinities and no NaN."""
    if math.isfinite(value):
        return value, None
    if value != value:  # noqa: PLR0124 - NaN is the one value unequal to itself
        return None, "float"
    return (INFINITY if value > 0 else NEGATIVE_INFINITY), "float"


def read_float(plain: Any) -> float:
    """Read what ``write_float`` tagged."""
    return {INFINITY: math.inf, NEGATIVE_INFINITY: -math.inf, None: math.nan}[plain]


def write_int(value: int) -> tuple[Any, str | None]:
    """Numbers of thousands of digits are written in hexadecimal, which costs linear time."""
    return (value, None) if value.bit_length() <= _DECIMAL_BITS_MAX else (hex(value), "int")


def read_int(plain: Any) -> int:
    """Read what ``write_int`` wrote."""
    return int(plain, 16) if isinstance(plain, str) else int(plain)


def _zone_name(zone: dt.tzinfo | None) -> str | None:
    """Return the IANA name of a time zone; fixed offsets have none, ISO text says them."""
    if zone is None or isinstance(zone, dt.timezone):
        return None
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    return name if isinstance(name, str) else None


def write_datetime(value: dt.datetime) -> tuple[Any, str | None]:
    """Write ISO text; the tag adds what ISO text cannot say: ``datetime@Europe/Berlin``, ``datetime+fold``."""
    zone = _zone_name(value.tzinfo)
    tag = "datetime+fold" if value.fold else "datetime"
    return value.isoformat(), f"{tag}@{zone}" if zone else tag


def read_datetime(plain: str, tag: str) -> dt.datetime:
    """Read ISO text with what its tag adds."""
    kind, _, zone = tag.partition("@")
    value = dt.datetime.fromisoformat(plain)
    if zone:
        value = value.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return value.replace(fold=1) if kind.endswith("+fold") else value


def write_time(value: dt.time) -> tuple[Any, str | None]:
    """Write ISO text; a named zone stands in the tag."""
    zone = _zone_name(value.tzinfo)
    tag = "time+fold" if value.fold else "time"
    return value.replace(tzinfo=None).isoformat() if zone else value.isoformat(), f"{tag}@{zone}" if zone else tag


def read_time(plain: str, tag: str) -> dt.time:
    """Read ISO text with what its tag adds."""
    kind, _, zone = tag.partition("@")
    value = dt.time.fromisoformat(plain)
    if zone:
        value = value.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return value.replace(fold=1) if kind.endswith("+fold") else value


def read_timedelta(plain: str) -> dt.timedelta:
    """Read an ISO 8601 duration."""
    return msgspec.convert(plain, dt.timedelta)


def _write_fraction(value: fractions.Fraction) -> Any:
    parts = (value.numerator, value.denominator)
    is_printable = all(part.bit_length() <= _DECIMAL_BITS_MAX for part in parts)
    return str(value) if is_printable else [write_int(part)[0] for part in parts]


def _read_fraction(plain: Any) -> fractions.Fraction:
    if isinstance(plain, list):
        return fractions.Fraction(*map(read_int, plain))
    if "e" in plain.lower():
        raise ValueError("a fraction with an exponent could fill the memory of its reader")
    return fractions.Fraction(plain)


def to_base64(value: bytes | bytearray) -> str:
    """Return standard base64 text."""
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def _leaf(tag: str, write: Callable[[Any], Any], read: Callable[[Any], Any]) -> Leaf:
    return Leaf(tag, lambda value: (write(value), tag), read)


def _text(tag: str, read: Callable[[Any], Any]) -> Leaf:
    return _leaf(tag, str, read)


#: Exact type -> how it is written and read.
LEAVES: Final[dict[type, Leaf]] = {
    float: Leaf("float", write_float, read_float),
    int: Leaf("int", write_int, read_int),
    bytes: _leaf("bytes", to_base64, binascii.a2b_base64),
    bytearray: _leaf("bytearray", to_base64, lambda plain: bytearray(binascii.a2b_base64(plain))),
    dt.datetime: Leaf("datetime", write_datetime, lambda plain: read_datetime(plain, "datetime")),
    dt.date: _leaf("date", dt.date.isoformat, dt.date.fromisoformat),
    dt.time: Leaf("time", write_time, lambda plain: read_time(plain, "time")),
    dt.timedelta: _leaf("timedelta", msgspec.to_builtins, read_timedelta),
    uuid.UUID: _text("uuid", uuid.UUID),
    decimal.Decimal: _text("decimal", decimal.Decimal),
    complex: _text("complex", complex),
    fractions.Fraction: _leaf("fraction", _write_fraction, _read_fraction),
    range: _leaf("range", lambda value: [value.start, value.stop, value.step], lambda plain: range(*plain)),
    pathlib.PurePosixPath: _text("purepath", pathlib.PurePosixPath),
    pathlib.PureWindowsPath: _text("windowspath", pathlib.PureWindowsPath),
    type(pathlib.Path()): _text("path", pathlib.Path),
    ipaddress.IPv4Address: _text("ip", ipaddress.ip_address),
    ipaddress.IPv6Address: _text("ip", ipaddress.ip_address),
    ipaddress.IPv4Network: _text("network", ipaddress.ip_network),
    ipaddress.IPv6Network: _text("network", ipaddress.ip_network),
    ipaddress.IPv4Interface: _text("interface", ipaddress.ip_interface),
    ipaddress.IPv6Interface: _text("interface", ipaddress.ip_interface),
    zoneinfo.ZoneInfo: _text("zone", zoneinfo.ZoneInfo),
    dt.timezone: _leaf(
        "timezone",
        lambda value: value.utcoffset(None).total_seconds(),
        lambda plain: dt.timezone(dt.timedelta(seconds=plain)),
    ),
    type(...): _leaf("ellipsis", str, lambda _: ...),
    msgspec.UnsetType: _leaf("unset", lambda _: None, lambda _: msgspec.UNSET),
}

#: Tag -> how it is read. The tags of datetime and time may be longer, see ``read_leaf``.
READERS: Final[dict[str, Callable[[Any], Any]]] = {leaf.tag: leaf.read for leaf in LEAVES.values()}


def _bare_date(value: Any) -> dt.date:
    return dt.date(value.year, value.month, value.day)


def _bare_time(value: Any) -> dt.time:
    parts = (value.hour, value.minute, value.second, value.microsecond)
    return dt.time(*parts, tzinfo=value.tzinfo, fold=value.fold)


#: How an equal value of the base type is made of an instance of a subclass, without asking methods of the subclass.
BARE: Final[dict[type, Callable[[Any], Any]]] = {
    str: lambda value: str.__getitem__(value, slice(None)),
    int: int.__int__,
    float: float.__float__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    dt.datetime: lambda value: dt.datetime.combine(_bare_date(value), _bare_time(value)),
    dt.date: _bare_date,
    dt.time: _bare_time,
    dt.timedelta: lambda value: dt.timedelta(value.days, value.seconds, value.microseconds),
    uuid.UUID: lambda value: uuid.UUID(int=value.int),
    decimal.Decimal: decimal.Decimal,
}


def read_leaf(tag: str, plain: Any) -> Any:
    """Read one scalar by its tag.

    Raises:
        KeyError: no such tag.
        ValueError, TypeError: the plain form is not one of that type.
    """
    reader = READERS.get(tag)
    if reader is not None:
        return reader(plain)
    if tag.startswith("datetime"):
        return read_datetime(plain, tag)
    if tag.startswith("time"):
        return read_time(plain, tag)
    raise KeyError(tag)
