from __future__ import annotations

import base64
import json

import pytest

from resonate_core.codec import Codec


@pytest.fixture
def codec():
    return Codec()


@pytest.fixture
def there_and_back(codec):
    def send(value, hint=None):
        return codec.decode_value(codec.encode_value(value)) if hint is None else read(value, hint)

    def read(value, hint):
        return codec.decode_value(codec.encode_value(value, type_hint=hint), hint)

    return send


@pytest.fixture
def wire():
    """What a foreign reader finds in a payload."""

    def read(payload):
        return json.loads(base64.b64decode(payload.data))

    return read
