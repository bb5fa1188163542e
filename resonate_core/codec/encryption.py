"""Encryption of whole payloads, so that no value, argument, function name, type name or error text is left readable.

Sealed are the data of every parameter and value, and the header that names its types: calls with the name of their
function, results, errors, messages. Left readable, because servers and stores need them: ids (and what a program puts
into them, such as the key of an event or the name of a customer), tags (target group, parent, a user's own tags), ids
of messages, states, times, sizes, and that a value is None. A sealed record is bound to its key and not to its place:
who can write to the store cannot read or forge a record, but can put an old one in the place of another.

The format of the data is that of the official SDKs (JSON, encrypted, base64), so an SDK that is given the same
``encrypt`` and ``decrypt`` reads it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Protocol

from resonate_core.errors import DecodeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC: Final = b"rsn1"
_NONCE_BYTES: Final = 12
_KEY_SIZES: Final = (16, 24, 32)


class Encryptor(Protocol):
    """What a ``Codec`` needs. ``decrypt`` raises ``DecodeError`` for what it cannot open."""

    def encrypt(self, plaintext: bytes, /) -> bytes:
        """Return the sealed form."""

    def decrypt(self, sealed: bytes, /) -> bytes:
        """Return what was sealed."""


class AesGcmEncryptor:
    """AES-GCM with named keys. New records use the active key; old ones stay readable while their key is listed.

    Nonces are random, so a key should be replaced before it has sealed some four thousand million records.

    Args:
        keys: key id to key of 16, 24 or 32 bytes.
        active: id of the key that encrypts.

    Raises:
        UsageError: a key of the wrong size, an active key that is not listed, or ``cryptography`` is not installed.
    """

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        if active not in keys:
            known = ", ".join(sorted(keys)) or "none given"
            raise UsageError(f"active key {active!r} is not among the keys ({known})")
        self._active = active
        self._ciphers = {key_id: _cipher(key_id, key) for key_id, key in keys.items()}

    def encrypt(self, plaintext: bytes, /) -> bytes:
        """Return format mark, key id, nonce and ciphertext; the key id is authenticated with the rest."""
        head = _head(self._active)
        nonce = os.urandom(_NONCE_BYTES)
        sealed: bytes = self._ciphers[self._active].encrypt(nonce, plaintext, head)
        return head + nonce + sealed

    def decrypt(self, sealed: bytes, /) -> bytes:
        """Return the plaintext.

        Raises:
            DecodeError: not encrypted by us, a key that is not here, the wrong key, or a record that was changed.
        """
        key_id, start = _key_id(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            known = ", ".join(sorted(self._ciphers))
            raise DecodeError(f"record is encrypted with key {key_id!r}, found only the keys {known}; add that key")
        nonce = sealed[start : start + _NONCE_BYTES]
        try:
            opened: bytes = cipher.decrypt(nonce, sealed[start + _NONCE_BYTES :], sealed[:start])
        except Exception as error:
            raise DecodeError(
                f"record cannot be decrypted with key {key_id!r}: the key has other bytes than the one that wrote it, "
                "or the record was changed",
            ) from error
        return opened


def _head(key_id: str) -> bytes:
    name = key_id.encode("utf-8")
    return _MAGIC + bytes((len(name),)) + name


def _key_id(sealed: bytes) -> tuple[str, int]:
    if not sealed.startswith(_MAGIC):
        raise DecodeError(
            "record is not encrypted, but an encryptor is set; while switching over, allow it with "
            "Codec(allow_unencrypted=True)",
        )
    start = len(_MAGIC) + 1
    end = start + sealed[len(_MAGIC)] if len(sealed) > len(_MAGIC) else start
    return sealed[start:end].decode("utf-8", "replace"), end


def _cipher(key_id: str, key: Any) -> Any:
    if not key_id or len(key_id.encode("utf-8")) > 255:
        raise UsageError(f"a key id has 1 to 255 bytes, got {key_id!r}")
    if not isinstance(key, bytes) or len(key) not in _KEY_SIZES:
        found = len(key) if isinstance(key, bytes) else type(key).__name__
        raise UsageError(f"key {key_id!r} must be 16, 24 or 32 bytes, got {found}")
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise UsageError("AesGcmEncryptor needs the extra: pip install 'resonate-migrate[crypto]'") from error
    return AESGCM(key)
