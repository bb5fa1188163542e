"""The seams for time, randomness and ids. Nothing else in the package reads a clock or draws a number."""

from __future__ import annotations

import random
import time
import uuid
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading


class Clock(Protocol):
    """Source of wall-clock time; a virtual one makes days pass in milliseconds."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""

    def wait(self, condition: threading.Condition, timeout_ms: int | None) -> None:
        """Wait on a held condition until notified or until the time has passed on this clock."""


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def wait(self, condition: threading.Condition, timeout_ms: int | None) -> None:
        """Wait on a held condition until notified or until the time has passed."""
        condition.wait(None if timeout_ms is None else max(timeout_ms, 0) / 1000)


def monotonic_ms() -> float:
    """Milliseconds on a clock that never jumps: for durations, never stored."""
    return time.monotonic() * 1000


def new_pid() -> str:
    """Return a fresh name for this worker process, lower-case letters and digits."""
    return uuid.uuid4().hex[:16]


def new_id() -> str:
    """Return a fresh unique id for a message or an execution."""
    return uuid.uuid4().hex


def jitter(low: float, high: float) -> float:
    """Draw a number between low and high, for reconnect back-off only."""
    return random.uniform(low, high)  # noqa: S311 - spreads load, protects nothing
