"""Values, errors and calls to the payload of a durable promise, and back."""

from __future__ import annotations

from resonate_core.codec.annotations import return_hint
from resonate_core.codec.codec import TYPES_HEADER, Codec
from resonate_core.codec.encryption import AesGcmEncryptor, Encryptor
from resonate_core.codec.invocation import Invocation

__all__ = ["TYPES_HEADER", "AesGcmEncryptor", "Codec", "Encryptor", "Invocation", "return_hint"]
