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
    """Return the seed of a run's random numbers."""
    return uuid.UUID(run).int & (2**63 - 1)
