"""Rejected values as other SDKs, command lines and people write them."""

# ruff: noqa: N818 - errors have the names that users give them

from __future__ import annotations

import base64
import json
import pickle

import pytest

from resonate_core.codec import Codec
from resonate_core.errors import DecodeError, RemoteError
from resonate_core.protocol.records import EMPTY, Value


class Declined(Exception):
    def __init__(self, code):
        super().__init__(code)


class Exploding(Exception):
    ran = False

    def __reduce__(self):
        return setattr, (Exploding, "ran", True)


def stored(plain):
    return Value(None, base64.b64encode(json.dumps(plain).encode()).decode())


def pickled(error):
    return base64.b64encode(pickle.dumps(error)).decode()


def test_error_of_typescript_keeps_name_text_and_stack(codec):
    found = codec.decode_error(
        stored(
            {"__type": "error", "message": "no", "name": "PaymentError", "stack": "PaymentError: no\n at f (x.ts:1)"}
        )
    )
    assert (type(found), str(found), found.type) == (RemoteError, "no", "PaymentError")
    assert "x.ts:1" in found.__notes__[0]


def test_aggregate_error_of_typescript_is_a_group(codec):
    found = codec.decode_error(
        stored(
            {
                "__type": "aggregate_error",
                "message": "all failed",
                "name": "AggregateError",
                "errors": [{"__type": "error", "message": "a", "name": "TypeError"}, "b"],
            }
        )
    )
    assert isinstance(found, ExceptionGroup)
    assert found.message == "all failed"
    assert [(str(error), error.type) for error in found.exceptions] == [("a", "TypeError"), ("b", None)]


def test_aggregate_error_without_members_is_one_error(codec):
    found = codec.decode_error(stored({"__type": "aggregate_error", "message": "x", "name": 5, "errors": []}))
    assert (type(found), str(found), found.type) == (RemoteError, "x", None)


@pytest.mark.parametrize("protocol", range(6))
def test_pickled_error_of_python_is_not_loaded_but_named(codec, protocol):
    text = base64.b64encode(pickle.dumps(Declined(5), protocol)).decode()
    found = codec.decode_error(stored({"__type": "error", "message": "5", "__py_pickle": text}))
    assert (type(found), str(found)) == (RemoteError, "5")
    assert found.type in ("Declined", "_reconstructor", "__newobj__")


def test_pickled_error_runs_nothing_by_default(codec):
    codec.decode_error(stored({"__type": "error", "message": "x", "__py_pickle": pickled(Exploding())}))
    assert not Exploding.ran


def test_pickled_error_is_loaded_where_the_user_asked_for_it():
    codec = Codec(unpickle_errors=True)
    found = codec.decode_error(stored({"__type": "error", "message": "5", "__py_pickle": pickled(Declined(5))}))
    assert (type(found), found.args) == (Declined, (5,))


@pytest.mark.parametrize("text", ["!", "", base64.b64encode(b"junk").decode(), pickled({"no": "error"}), 5])
def test_pickle_that_is_no_error_is_a_remote_error(text):
    for codec in (Codec(), Codec(unpickle_errors=True)):
        found = codec.decode_error(stored({"__type": "error", "message": "m", "__py_pickle": text}))
        assert (type(found), str(found)) == (RemoteError, "m")


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ("plain text", "plain text"),
        (5, "5"),
        ({"a": 1}, '{"a":1}'),
        (["x"], '["x"]'),
        ({"__error__": "old SDK"}, "old SDK"),
        ({"__type": "error"}, '{"__type":"error"}'),
        ({"__type": "error", "message": 5}, '{"__type":"error","message":5}'),
    ],
    ids=str,
)
def test_rejected_value_that_is_no_error_object_becomes_its_text(codec, plain, text):
    found = codec.decode_error(stored(plain))
    assert (type(found), str(found)) == (RemoteError, text)


@pytest.mark.parametrize("payload", [EMPTY, Value({}, ""), stored(None)])
def test_rejection_without_a_value_says_so(codec, payload):
    assert str(codec.decode_error(payload)) == "rejected without a reason"


def test_rejection_that_is_no_json_is_a_decode_error(codec):
    with pytest.raises(DecodeError, match="not JSON"):
        codec.decode_error(Value(None, "b2s="))
