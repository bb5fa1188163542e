"""Cron expressions as Temporal reads them: five fields, names, ``@every 5m``, ``CRON_TZ=`` in front."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from croniter import croniter

_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_NAMED: Final = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}


def check(expression: str) -> None:
    """Raise ``ValueError`` for an expression that cannot be read."""
    seconds_until_next(expression, datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC")))


def seconds_until_next(expression: str, now: datetime) -> float:
    """Return how long it is from an instant to the next tick.

    Raises:
        ValueError: the expression cannot be read.
    """
    text, zone = expression.strip(), ZoneInfo("UTC")
    if text.startswith(("CRON_TZ=", "TZ=")):
        name, _, text = text.partition("=")[2].partition(" ")
        zone = ZoneInfo(name)
    if text.startswith("@every "):
        period = duration(text.removeprefix("@every "))
        return period - now.timestamp() % period
    if text.startswith("@") and text not in _NAMED:
        raise ValueError(f"cron expression {expression!r} is not known")
    ticks = croniter(text.replace("@midnight", "@daily"), now.astimezone(zone).replace(tzinfo=None))
    while True:
        following: datetime = ticks.get_next(datetime).replace(tzinfo=zone)  # on the wall, whatever the season
        seconds = following.timestamp() - now.timestamp()
        if seconds > 0:
            return seconds


def duration(text: str) -> float:
    """Return the seconds of a duration as Go writes it (``1h30m``).

    Raises:
        ValueError: it cannot be read, or is not above zero.
    """
    parts = _PART.findall(text.strip())
    if "".join(number + unit for number, unit in parts) != text.strip():
        raise ValueError(f"duration {text!r} cannot be read; write for example 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ValueError(f"duration {text!r} must be above zero")
    return seconds
