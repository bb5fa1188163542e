"""One heap of instants for all steps: retry waits, attempt limits, deadlines. No thread per wait.

Durations count on a clock that never jumps; a virtual clock is its own measure. Entries are dropped lazily, and the
heap is rebuilt when most of it is dead, so that a thousand steps a second with a limit of an hour each cost no memory.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
from typing import TYPE_CHECKING, Any, Final

from resonate_core.clock import SystemClock, monotonic_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.clock import Clock

_DEAD_MIN: Final = 256

_logger = logging.getLogger("resonate.step")

#: [due, order, callback or None]
Entry = list[Any]


class Timers:
    """Calls functions when their time has come.

    Args:
        clock: what waits.
        threaded: serve the heap by a thread of its own, started with the first entry; otherwise call ``run_due``.
    """

    def __init__(self, clock: Clock, *, threaded: bool) -> None:
        self._clock = clock
        self.now: Callable[[], float] = monotonic_ms if isinstance(clock, SystemClock) else clock.now_ms
        self._threaded = threaded
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._heap: list[Entry] = []
        self._order = itertools.count()
        self._dead = 0
        # When the thread will look again; it may find nothing then, which is cheaper than waking it for every entry.
        self._wakes_at = -math.inf
        self._is_stopped = False

    def add(self, delay_ms: float, callback: Callable[[], None]) -> Entry:
        """Call a function after a delay, on the timers' thread; it must not block."""
        entry: Entry = [self.now() + delay_ms, next(self._order), callback]
        with self._changed:
            heapq.heappush(self._heap, entry)
            if self._threaded:
                if self._thread is None:
                    self._start()
                elif entry[0] < self._wakes_at:
                    self._changed.notify()
        return entry

    def discard(self, entry: Entry) -> None:
        """Forget an entry; it is no error if its function has been called already."""
        with self._changed:
            if entry[2] is None:
                return
            entry[2] = None
            self._dead += 1
            if self._dead > _DEAD_MIN and self._dead * 2 > len(self._heap):
                self._heap = [each for each in self._heap if each[2] is not None]
                heapq.heapify(self._heap)
                self._dead = 0

    def next_due_in(self) -> float | None:
        """Return milliseconds until the next entry is due, at least 0; None if there is none."""
        with self._changed:
            return self._wait_ms()

    def run_due(self) -> int:
        """Call what is due now, in order of time, and return how many there were."""
        count = 0
        while True:
            with self._changed:
                callback = self._pop_due()
            if callback is None:
                return count
            count += 1
            try:
                callback()
            except Exception:
                _logger.exception("a timer of the step runner failed")

    def stop(self) -> None:
        """Call nothing any more."""
        with self._changed:
            self._is_stopped = True
            self._heap.clear()
            self._changed.notify_all()

    def _wait_ms(self) -> float | None:
        heap = self._heap
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
            self._dead -= 1
        return max(heap[0][0] - self.now(), 0) if heap else None

    def _pop_due(self) -> Callable[[], None] | None:
        if self._wait_ms() != 0:
            return None
        entry = heapq.heappop(self._heap)
        callback: Callable[[], None] = entry[2]
        entry[2] = None
        return callback

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._serve, name="resonate-step-timers", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            self.run_due()
            with self._changed:
                if self._is_stopped:
                    return
                due = self._heap[0][0] if self._heap else math.inf
                wait_ms = due - self.now()
                if wait_ms > 0:
                    self._wakes_at = due
                    # Rounded up: waking a fraction early would only mean waiting again.
                    self._clock.wait(self._changed, None if due == math.inf else int(wait_ms) + 1)
                    self._wakes_at = -math.inf
