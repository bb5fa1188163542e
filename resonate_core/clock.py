"""The seams for time, randomness and ids. Nothing else in the package reads a clock or draws a number."""

from __future__ import annotations

import random
import secrets
import threading
import time
import uuid
from typing import Final, Protocol

from resonate_core.errors import UsageError

#: Platforms refuse to wait for centuries, and promises may have such deadlines; waking once a day for nothing is free.
_WAIT_MS_MAX: Final = 86_400_000


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
        condition.wait(None if timeout_ms is None else min(max(timeout_ms, 0), _WAIT_MS_MAX) / 1000)


class VirtualClock:
    """Time that passes only when told to: thirty days in a millisecond.

    Args:
        now_ms: where it stands at first.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, threading.Condition]] = []

    def now_ms(self) -> int:
        """Milliseconds since the epoch, as told."""
        return self._now_ms

    def advance(self, by_ms: int) -> None:
        """Let time pass."""
        self.advance_to(self._now_ms + by_ms)

    def advance_to(self, instant_ms: int) -> None:
        """Let time pass until an instant; going back is refused. Wakes whoever has waited for it."""
        with self._lock:
            if instant_ms < self._now_ms:
                raise UsageError(f"a clock does not go back: it is {self._now_ms}, asked for {instant_ms}")
            self._now_ms = instant_ms
            due = [condition for until, condition in self._waiting if until <= instant_ms]
        for condition in due:
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, timeout_ms: int | None) -> None:
        """Wait on a held condition until notified or until the time has passed on this clock."""
        if timeout_ms is None:
            condition.wait()
            return
        entry = (self._now_ms + timeout_ms, condition)
        with self._lock:
            if entry[0] <= self._now_ms:
                return
            self._waiting.append(entry)
        try:
            condition.wait()
        finally:
            with self._lock:
                self._waiting.remove(entry)


def monotonic_ms() -> float:
    """Milliseconds on a clock that never jumps: for durations, never stored."""
    return time.monotonic() * 1000


def pause(duration_ms: float) -> None:
    """Let other processes go first for a moment: for locks that cannot be waited for."""
    time.sleep(duration_ms / 1000)


def new_pid() -> str:
    """Return a fresh name for this worker process, lower-case letters and digits."""
    return uuid.uuid4().hex[:16]


def new_number(bits: int) -> int:
    """Draw a number that no other process is likely to draw."""
    return secrets.randbits(bits)


def new_id() -> str:
    """Return a fresh unique id for a message or an execution."""
    return uuid.uuid4().hex


def jitter(low: float, high: float) -> float:
    """Draw a number between low and high, for reconnect back-off only."""
    return random.uniform(low, high)  # noqa: S311 - spreads load, protects nothing
