"""What of dbos's own tests does not apply to the shim, and why."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final

#: Reason -> patterns of test ids, as ``fnmatch`` reads them.
REASONS: Final[dict[str, tuple[str, ...]]] = {}
#: A failure with one of these is one of reaching for something private.
_PRIVATE: Final = re.compile(r"PrivateNameError|AttributeError: .*(has no attribute|has no) '_[a-z]")


def reason_of(test: str) -> str | None:
    """Return why a test does not apply, None if it does."""
    for reason, patterns in REASONS.items():
        if any(fnmatchcase(test, f"*{pattern}*") for pattern in patterns):
            return reason
    return None


def reason_of_failure(line: str) -> str | None:
    """Return why a test that failed does not apply, None if it does."""
    return "it reaches for tables, fields or modules that are private to dbos" if _PRIVATE.search(line) else None
