"""Durations as users give them: seconds, or a timedelta."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from resonate_core.errors import UsageError
from resonate_core.limits import INSTANT_MAX_MS


def seconds(value: Any, what: str) -> float:
    """Return the seconds of a duration; zero and below mean at once, as in the generator SDK.

    Raises:
        UsageError: not a number or timedelta, or NaN.
    """
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number != number:  # noqa: PLR0124 - NaN
        raise UsageError(f"{what} takes seconds or a timedelta, got {value!r}")
    return max(0.0, min(float(number), INSTANT_MAX_MS / 1000))
