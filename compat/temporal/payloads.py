"""From Temporal's payloads to what is stored, and back.

JSON is stored as JSON, so that migrated code and other SDKs read it: its value comes back, and the order of its keys,
not its white space. Everything else (binary, protobuf, encrypted) comes back byte for byte: it is stored as an object
with the payload's metadata and data in Base64.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import AdvancedJSONEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Key of a payload that is stored as it is.
RAW: Final = "temporal:payload"
_NULL: Final = {"encoding": b"binary/null"}
_JSON: Final = {"encoding": b"json/plain"}
#: Beyond this a JSON integer does not survive every reader.
_EXACT_INT: Final = 2**53


def to_stored(payload: Payload) -> Any:
    """Return the stored form of a payload."""
    metadata = dict(payload.metadata)
    if metadata == _NULL and not payload.data:
        return None
    if metadata == _JSON:
        plain = _plain_json(payload.data)
        if plain is not _UNFIT:
            return plain
    return {
        RAW: {
            "metadata": {key: base64.b64encode(value).decode() for key, value in metadata.items()},
            "data": base64.b64encode(payload.data).decode(),
        }
    }


_UNFIT: Final = object()


def _plain_json(data: bytes) -> Any:
    """Return the value of JSON text that every reader understands alike, else ``_UNFIT``."""
    try:
        value = json.loads(data, object_pairs_hook=_without_doubles)
        if value is None or not _is_safe(value):
            return _UNFIT
    except (ValueError, RecursionError):
        return _UNFIT
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    """Return the JSON of an object: migrated code stores objects together with their types."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return AdvancedJSONEncoder().default(value)


def _is_safe(value: Any) -> bool:
    """Whether the store keeps this exactly: no object of ours, no number that readers round."""
    if isinstance(value, dict):
        return not any(key.startswith(("temporal:", "__")) for key in value) and all(map(_is_safe, value.values()))
    if isinstance(value, list):
        return all(map(_is_safe, value))
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")  # noqa: PLR0124 - NaN is the one value unequal to itself
    return not isinstance(value, int) or abs(value) < _EXACT_INT


def from_stored(value: Any) -> Payload:
    """Return the payload of a stored value, whoever stored it."""
    if value is None:
        return Payload(metadata=_NULL)
    raw = value.get(RAW) if isinstance(value, dict) else None
    if isinstance(raw, dict):
        metadata = {key: base64.b64decode(item) for key, item in raw["metadata"].items()}
        return Payload(metadata=metadata, data=base64.b64decode(raw["data"]))
    return Payload(metadata=_JSON, data=_dump(value))


def all_to_stored(payloads: Iterable[Payload]) -> list[Any]:
    """Return the stored forms of several payloads."""
    return [to_stored(payload) for payload in payloads]


def all_from_stored(values: Iterable[Any]) -> list[Payload]:
    """Return the payloads of several stored values."""
    return [from_stored(value) for value in values]


def map_to_stored(fields: Mapping[str, Payload]) -> dict[str, Any]:
    """Return the stored form of named payloads (headers, memo)."""
    return {key: to_stored(payload) for key, payload in fields.items()}


def map_from_stored(values: Mapping[str, Any]) -> dict[str, Payload]:
    """Return named payloads."""
    return {key: from_stored(value) for key, value in values.items()}


def payloads_of(values: Iterable[Any]) -> Payloads:
    """Return stored values as one ``Payloads``."""
    return Payloads(payloads=all_from_stored(values))
