"""What of temporalio's own tests does not apply to the shim, and why: patterns of test ids, each with a reason."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

#: Reason -> patterns of test ids, as ``fnmatch`` reads them.
REASONS: Final[dict[str, tuple[str, ...]]] = {}


def reason_of(test: str) -> str | None:
    """Return why a test does not apply, None if it does."""
    for reason, patterns in REASONS.items():
        if any(fnmatchcase(test, f"*{pattern}*") for pattern in patterns):
            return reason
    return None
