from __future__ import annotations

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import default

from compat.temporal.payloads import RAW, from_stored, to_stored

VALUES = [None, True, 0, -1.5, "ä", [1, [2]], {"b": 1, "a": [None]}, b"\x00\xff", 2**60, {"temporal:payload": 1}, ""]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_payload_of_any_value_comes_back_byte_for_byte(value: object) -> None:
    payload = default().payload_converter.to_payload(value)
    assert from_stored(to_stored(payload)) == payload


@pytest.mark.parametrize("value", [True, "text", [1, 2], {"a": {"b": 1.5}}], ids=repr)
def test_payload_of_json_is_stored_as_json(value: object) -> None:
    assert to_stored(default().payload_converter.to_payload(value)) == value


def test_json_text_of_another_converter_is_stored_as_its_value_and_keeps_the_order_of_its_keys() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data='{"b": "ä", "a": 1e16}'.encode())
    assert to_stored(payload) == {"b": "ä", "a": 1e16}
    assert list(default().payload_converter.from_payload(from_stored(to_stored(payload)))) == ["b", "a"]


@pytest.mark.parametrize("data", [b"1e400", b"NaN", b"null", b"not json", b'{"a":1,"a":2}'])
def test_payload_that_is_no_exact_json_is_stored_as_it_is(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    assert RAW in to_stored(payload)
    assert from_stored(to_stored(payload)) == payload


def test_payload_with_more_metadata_keeps_it() -> None:
    payload = Payload(metadata={"encoding": b"json/plain", "messageType": b"x"}, data=b"1")
    assert from_stored(to_stored(payload)) == payload


def test_stored_value_of_plain_resonate_code_is_read_as_json() -> None:
    assert default().payload_converter.from_payload(from_stored({"n": 1})) == {"n": 1}
