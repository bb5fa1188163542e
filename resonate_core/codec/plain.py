"""Plain JSON: the fast test whether a value is nothing else, and the two ways between JSON and wire text.

A value that JSON expresses exactly needs no header and no rebuilt copy; most values are of that kind, so they are found
out first, with the work done in C where it can be.
"""

from __future__ import annotations

import binascii
import json
from math import isfinite
from typing import Any, Final

import msgspec

from resonate_core.errors import DecodeError

#: Values nested deeper than this are refused: readers stop there too, and a cycle has no depth at all.
DEPTH_MAX: Final = 200

_ATOMS: Final = frozenset((str, int, bool, type(None)))

#: From this length on, one set of all types in C is faster than a loop.
_LONG: Final = 16

_to_json = msgspec.json.Encoder().encode
_from_json = msgspec.json.Decoder().decode


def is_plain(value: Any, depth: int = DEPTH_MAX) -> bool:
    """Say whether a value is exactly JSON: builtin types only, text keys, finite numbers."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if kind is float:
        return isfinite(value)
    if depth == 0:
        return False
    if kind is dict:
        for key, member in value.items():
            if type(key) is not str or (type(member) not in _ATOMS and not is_plain(member, depth - 1)):
                return False
        return True
    return kind is list and _is_plain_list(value, depth)


def _is_plain_list(value: list[Any], depth: int) -> bool:
    if len(value) > _LONG and set(map(type, value)) <= _ATOMS:
        return True
    return all(type(member) in _ATOMS or is_plain(member, depth - 1) for member in value)


def dump(plain: Any) -> bytes:
    """Return compact JSON. Lone surrogates, which UTF-8 cannot carry, become escapes."""
    try:
        return _to_json(plain)
    except UnicodeEncodeError:
        return json.dumps(plain, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def parse(body: bytes | str) -> Any:
    """Read JSON; what the strict parser refuses but the standard library reads (huge numbers, surrogates) is read.

    Raises:
        DecodeError: this is not JSON.
    """
    try:
        return _from_json(body)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DecodeError(_not_json(body, error)) from error


def _not_json(body: bytes | str, error: Exception) -> str:
    sample = body[:60]
    hint = "text needs its quotes: '\"ok\"'" if body[:1].isalpha() else "write JSON"
    return f"stored data is not JSON: expected JSON text, found {sample!r} ({error}); {hint}, or set the same encryptor"


def to_wire(body: bytes) -> str:
    """Return the base64 text that stands in ``Value.data``."""
    return binascii.b2a_base64(body, newline=False).decode("ascii")


def from_wire(data: str) -> bytes:
    """Read the base64 text of ``Value.data``.

    Raises:
        DecodeError: this is not base64.
    """
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise DecodeError(
            f"stored data is not base64: expected base64 of JSON, found {data[:60]!r} ({error}); "
            "whoever wrote the promise must encode the JSON text",
        ) from error
