"""From Temporal's ids to promise ids and back.

A workflow id is the promise id of its execution, so that migrated code finds it under the same name. Only what the
runtime keeps for itself is escaped: ``W.1``, ``W.inbox.0`` and the like stand for parts of ``W``, and ``W~1`` for its
second generation, so a workflow of the user's own with such an id is stored with the sign percent-encoded.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

#: A dot that begins what the runtime uses for parts of an execution, a tilde that looks like a generation, a percent
#: sign that would read as one of ours.
_TAKEN: Final = re.compile(
    r"\.(?=\d|(?:inbox|order|run|event|patch|update|query)\.|f[0-9a-f]{24}\.)|~(?=\d+$)|%(?=25|2E|7E)"
)
_CODES: Final = {".": "%2E", "~": "%7E", "%": "%25"}
_ENCODED: Final = re.compile("%(25|2E|7E)")
_NAMESPACE: Final = uuid.UUID("5c9d7a52-6a5b-4bb8-9d0e-7f1d2b1f6b61")


def promise_id(workflow_id: str) -> str:
    """Return the promise id of a workflow id."""
    return _TAKEN.sub(lambda match: _CODES[match[0]], workflow_id)


def workflow_id(promise: str) -> str:
    """Return the workflow id behind a promise id without generation."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), promise)


def run_id(promise: str, run: int) -> str:
    """Return the run id of one run of one generation: derived, so that nothing has to be stored."""
    return str(uuid.uuid5(_NAMESPACE, f"{promise}#{run}"))


def randomness_seed(run: str) -> int:
    """Return the seed of a run's random numbers: the one that temporalio's core takes when it replays the history."""
    return siphash(run.encode() + b"\xff")


_MASK: Final = 2**64 - 1


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    a = (a + b) & _MASK
    b = _rotated(b, 13) ^ a
    a = _rotated(a, 32)
    c = (c + d) & _MASK
    d = _rotated(d, 16) ^ c
    a = (a + d) & _MASK
    d = _rotated(d, 21) ^ a
    c = (c + b) & _MASK
    b = _rotated(b, 17) ^ c
    return a, b, _rotated(c, 32), d


def siphash(data: bytes) -> int:
    """Return SipHash-1-3 with an empty key, the hash that Rust's standard library uses."""
    state = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    whole = len(data) // 8 * 8
    tail = int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56
    for word in [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)] + [tail]:
        a, b, c, d = _round(*state[:3], state[3] ^ word)
        state = (a ^ word, b, c, d)
    a, b, c, d = state
    state = (a, b, c ^ 0xFF, d)
    for _ in range(3):
        state = _round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]
