# ruff: noqa: N818 - errors have the names that users give them

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass

import pytest

from resonate_core.codec import AesGcmEncryptor, Codec
from resonate_core.errors import DecodeError, UsageError
from resonate_core.protocol.records import Value

pytest.importorskip("cryptography")

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
RECORD_VALUE = {"iban": "DE00123", "amount": 5}


@dataclass
class Patient:
    name: str


class Diagnosis(Exception):
    pass


@pytest.fixture
def sealed():
    return Codec(encryptor=AesGcmEncryptor({"k1": KEY}, "k1"))


def bytes_of(payload):
    """Everything that a store sees of a payload, with base64 undone."""
    texts = [payload.data, *(payload.headers or {}).values()]
    return b"".join(base64.b64decode(text) + text.encode() for text in texts)


@pytest.mark.parametrize("size", [16, 24, 32])
def test_value_is_read_back_with_the_key_of_each_size(size):
    codec = Codec(encryptor=AesGcmEncryptor({"k": bytes(size)}, "k"))
    assert codec.decode_value(codec.encode_value((1, Patient("Ada")))) == (1, Patient("Ada"))


def test_value_name_of_class_and_type_are_not_readable(sealed):
    seen = bytes_of(sealed.encode_value({"patient": Patient("Ada"), "when": (1,)}))
    for word in (b"Ada", b"patient", b"Patient", b"name", b"tuple", __name__.encode()):
        assert word not in seen


def test_call_is_not_readable_function_name_included(sealed):
    seen = bytes_of(sealed.encode_invocation("transfer_money", ("DE00123",), {"amount": 5}, 1, {}))
    for word in (b"transfer_money", b"DE00123", b"amount", b"func"):
        assert word not in seen


def test_error_is_not_readable(sealed):
    seen = bytes_of(sealed.encode_error(Diagnosis("flu")))
    for word in (b"flu", b"Diagnosis", b"__type", b"message"):
        assert word not in seen


def test_call_and_error_are_read_back(sealed):
    call = sealed.decode_invocation(sealed.encode_invocation("f", ((1,),), {"p": Patient("Ada")}, 2, {"x": 1}))
    assert (call.func, call.args, call.kwargs, call.version, call.extra) == (
        "f",
        ((1,),),
        {"p": Patient("Ada")},
        2,
        {"x": 1},
    )
    assert type(sealed.decode_error(sealed.encode_error(Diagnosis("flu")))) is Diagnosis


def test_same_value_is_never_sealed_the_same_way_twice(sealed):
    assert sealed.encode_value(RECORD_VALUE) != sealed.encode_value(RECORD_VALUE)


def test_key_can_be_replaced_while_old_records_stay_readable(sealed):
    old = sealed.encode_value(RECORD_VALUE)
    rotated = Codec(encryptor=AesGcmEncryptor({"k1": KEY, "k2": OTHER}, "k2"))
    new = rotated.encode_value(RECORD_VALUE)
    assert rotated.decode_value(old) == rotated.decode_value(new) == RECORD_VALUE
    with pytest.raises(DecodeError, match="encrypted with key 'k2', found only the keys k1; add that key"):
        sealed.decode_value(new)


def test_wrong_key_of_the_same_name_is_a_clear_error(sealed):
    wrong = Codec(encryptor=AesGcmEncryptor({"k1": OTHER}, "k1"))
    with pytest.raises(DecodeError, match="cannot be decrypted with key 'k1': the key has other bytes"):
        wrong.decode_value(sealed.encode_value(RECORD_VALUE))


def test_reader_without_a_key_is_told_to_set_one(codec, sealed):
    with pytest.raises(DecodeError, match="or set the same encryptor"):
        codec.decode_value(sealed.encode_value(RECORD_VALUE))


@pytest.mark.parametrize("position", [5, 8, 20, -1])
def test_changed_record_is_refused(sealed, position):
    body = bytearray(base64.b64decode(sealed.encode_value(RECORD_VALUE).data))
    body[position] ^= 1
    with pytest.raises(DecodeError, match=r"decrypted|encrypted"):
        sealed.decode_value(Value(None, base64.b64encode(body).decode()))


@pytest.mark.parametrize("length", [0, 3, 4, 5, 6, 7, 10, 18, 25])
def test_truncated_record_is_refused(sealed, length):
    body = base64.b64decode(sealed.encode_value(RECORD_VALUE).data)[:length]
    if length:
        with pytest.raises(DecodeError):
            sealed.decode_value(Value(None, base64.b64encode(body).decode()))


def test_type_annotation_that_is_not_encrypted_is_refused(sealed):
    payload = sealed.encode_value([1])
    with pytest.raises(DecodeError):
        sealed.decode_value(Value({"resonate:types": '"tuple"'}, payload.data))


def test_plain_record_is_refused_and_the_way_out_is_named(codec, sealed):
    with pytest.raises(DecodeError, match=r"not encrypted, but an encryptor is set; .*allow_unencrypted=True"):
        sealed.decode_value(codec.encode_value(RECORD_VALUE))


@pytest.fixture
def switching():
    return Codec(encryptor=AesGcmEncryptor({"k1": KEY}, "k1"), allow_unencrypted=True)


def test_plain_record_is_read_while_switching_over(codec, switching):
    assert switching.decode_value(codec.encode_value((1, Patient("Ada")))) == (1, Patient("Ada"))
    assert switching.decode_invocation(codec.encode_invocation("f", ((1,),), {}, 1, {})).args == ((1,),)
    assert type(switching.decode_error(codec.encode_error(Diagnosis("flu")))) is Diagnosis


def test_new_records_are_encrypted_while_switching_over(switching):
    assert b"DE00123" not in bytes_of(switching.encode_value(RECORD_VALUE))


def test_wrong_key_stays_an_error_while_switching_over(switching):
    foreign = Codec(encryptor=AesGcmEncryptor({"k9": OTHER}, "k9"))
    with pytest.raises(DecodeError, match="encrypted with key 'k9'"):
        switching.decode_value(foreign.encode_value(RECORD_VALUE))


def test_none_has_nothing_to_encrypt(sealed):
    assert sealed.encode_value(None) == Value()


def test_encryptor_of_the_users_needs_two_methods():
    class Reversing:
        def encrypt(self, plaintext):
            return plaintext[::-1]

        def decrypt(self, body):
            return body[::-1]

    codec = Codec(encryptor=Reversing())
    assert codec.decode_value(codec.encode_value((1, "a"))) == (1, "a")


@pytest.mark.parametrize(
    ("keys", "active", "text"),
    [
        ({}, "k", r"active key 'k' is not among the keys \(none given\)"),
        ({"a": KEY}, "k", r"active key 'k' is not among the keys \(a\)"),
        ({"k": b"short"}, "k", "key 'k' must be 16, 24 or 32 bytes, got 5"),
        ({"k": "text" * 8}, "k", "key 'k' must be 16, 24 or 32 bytes, got str"),
        ({"": KEY}, "", "a key id has 1 to 255 bytes, got ''"),
        ({"é" * 128: KEY}, "é" * 128, "a key id has 1 to 255 bytes"),
    ],
)
def test_keys_that_cannot_work_are_refused_when_they_are_given(keys, active, text):
    with pytest.raises(UsageError, match=text):
        AesGcmEncryptor(keys, active)


def test_key_is_not_shown_by_repr():
    assert repr(KEY) not in repr(AesGcmEncryptor({"k": KEY}, "k"))


def test_missing_library_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(UsageError, match=r"pip install 'resonate-migrate\[crypto\]'"):
        AesGcmEncryptor({"k": KEY}, "k")
