"""A clock whose time can be skipped: it runs like the machine's, and jumps over times in which nothing happens."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: How often the skipper looks whether anything goes on; it jumps when it has seen nothing this many times in a row.
_LOOK_S: Final = 0.001
_QUIET_LOOKS: Final = 3


class SkippingClock:
    """Real time plus what was skipped. A ``Clock`` of ``resonate_core``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._skipped_ms = 0
        self._waiting: dict[int, tuple[int, threading.Condition]] = {}
        self.wait_count = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch, skipped time included."""
        return time.time_ns() // 1_000_000 + self._skipped_ms

    def wait(self, condition: threading.Condition, timeout_ms: int | None) -> None:
        """Wait on a held condition until notified, until the time has passed, or until it was skipped."""
        self.wait_count += 1
        if timeout_ms is None:
            condition.wait()
            return
        key = threading.get_ident()
        with self._lock:
            self._waiting[key] = (self.now_ms() + timeout_ms, condition)
        try:
            condition.wait(min(max(timeout_ms, 0) / 1000, 3600))
        finally:
            with self._lock:
                self._waiting.pop(key, None)

    def skip_to(self, instant_ms: int) -> None:
        """Jump to an instant, and let everybody look at the time."""
        with self._lock:
            self._skipped_ms += max(0, instant_ms - self.now_ms())
            due = [condition for _, condition in self._waiting.values()]
        for condition in due:
            with condition:
                condition.notify_all()


class Skipper:
    """Skips time while it is unlocked and nothing goes on.

    Args:
        clock: whose time is skipped.
        is_quiet: whether nothing goes on.
        next_due_ms: when something goes on by itself.
    """

    def __init__(
        self, clock: SkippingClock, is_quiet: Callable[[], bool], next_due_ms: Callable[[], int | None]
    ) -> None:
        self._clock = clock
        self._is_quiet = is_quiet
        self._next_due_ms = next_due_ms
        self._unlocked = 0
        self._limits: list[int] = []
        self._wake = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="temporal-time-skipping", daemon=True)
        self._thread.start()

    def unlock(self) -> None:
        """Let time be skipped, until as many calls of ``lock``."""
        self._unlocked += 1
        self._wake.set()

    def lock(self) -> None:
        """Let time run as it does outside."""
        self._unlocked -= 1

    def skip_until(self, instant_ms: int) -> None:
        """Skip to an instant, stopping at everything that happens on the way; blocks until then."""
        self._limits.append(instant_ms)
        self.unlock()
        try:
            while self._clock.now_ms() < instant_ms:
                time.sleep(_LOOK_S)
        finally:
            self.lock()
            self._limits.remove(instant_ms)

    def stop(self) -> None:
        """End the thread."""
        self._is_over = True
        self._wake.set()
        self._thread.join(2)

    def _run(self) -> None:
        quiet_looks, seen = 0, -1
        while not self._is_over:
            if self._unlocked <= 0:
                self._wake.clear()
                self._wake.wait(0.05)
                continue
            time.sleep(_LOOK_S)
            is_quiet = self._is_quiet() and self._clock.wait_count == seen
            quiet_looks = quiet_looks + 1 if is_quiet else 0
            seen = self._clock.wait_count
            if quiet_looks >= _QUIET_LOOKS:
                quiet_looks = 0
                self._jump()

    def _jump(self) -> None:
        due = self._next_due_ms()
        limit = min(self._limits, default=None)
        target = due if limit is None else limit if due is None else min(due, limit)
        if target is not None:
            self._clock.skip_to(target)
