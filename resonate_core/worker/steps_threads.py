"""Threads for plain functions: made when needed, reused, replaced when one is lost to a function that never returns.

The invariant: there is one token in ``_idle`` for each thread that waits and has no job on its way. Whoever takes a
token puts one job into ``_assigned``, where some waiting thread finds it; without a token a thread is made for the job;
at the limit the job goes to ``_overflow``, which threads look at before they wait. Both sides of that last step first
leave something and then look, so that neither a job nor a thread is overlooked.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: A thread that had nothing to do for this long ends.
IDLE_S: Final = 60.0

_logger = logging.getLogger("resonate.step")


class StepThreads:
    """A pool. A job returns False when it was too late and its thread has been replaced; the thread then ends.

    Args:
        max_threads: live threads at the same time; lost ones do not count.
        describe: names what runs now, for the warning when the pool is full.
    """

    def __init__(self, max_threads: int, describe: Callable[[], str]) -> None:
        self._max_threads = max_threads
        self._describe = describe
        self._assigned: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()
        self._overflow: deque[Callable[[], bool]] = deque()
        self._idle: deque[None] = deque()
        self._lock = threading.Lock()
        self._count = 0
        self._made = 0
        self._is_full_said = False
        self._is_stopped = False

    @property
    def count(self) -> int:
        """Threads that are not lost."""
        return self._count

    def submit(self, job: Callable[[], bool]) -> None:
        """Run a job on a thread, or keep it until one is free."""
        try:
            self._idle.pop()
        except IndexError:
            if not self._start_thread(job):
                self._overflow.append(job)
                self._serve_overflow()
            return
        self._assigned.put(job)

    def thread_lost(self) -> None:
        """Note that a job holds its thread beyond its time; another thread takes its place when there is work."""
        with self._lock:
            self._count -= 1
            self._is_full_said = False
        try:
            job = self._overflow.popleft()
        except IndexError:
            return
        self.submit(job)

    def stop(self) -> None:
        """End the threads that are idle; busy ones end when their job does."""
        self._is_stopped = True
        self._overflow.clear()
        while True:
            try:
                self._idle.pop()
            except IndexError:
                return
            self._assigned.put(None)

    def _serve_overflow(self) -> None:
        """Give a waiting job to a thread that became idle meanwhile."""
        while self._overflow:
            try:
                self._idle.pop()
            except IndexError:
                return  # whoever gets idle after this looks at the overflow
            try:
                self._assigned.put(self._overflow.popleft())
            except IndexError:
                self._idle.append(None)

    def _start_thread(self, job: Callable[[], bool]) -> bool:
        with self._lock:
            if self._count >= self._max_threads:
                self._say_full()
                return False
            self._count += 1
            self._made += 1
            name = f"resonate-step-{self._made}"
        try:
            threading.Thread(target=self._work, args=(job,), name=name, daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._count -= 1
                if self._count == 0:
                    raise  # nobody would ever take the job
            return False
        return True

    def _say_full(self) -> None:
        if not self._is_full_said:
            self._is_full_said = True
            _logger.warning(
                "all %d step threads are busy, further steps wait: %s; set attempt_timeout on steps that may hang",
                self._max_threads,
                self._describe(),
            )

    def _work(self, first: Callable[[], bool]) -> None:
        job: Callable[[], bool] | None = first
        while job is not None:
            if not job():
                return  # counted by thread_lost
            del job  # what it holds must not live as long as the wait for the next one
            job = self._next_job()
        with self._lock:
            self._count -= 1

    def _next_job(self) -> Callable[[], bool] | None:
        while not self._is_stopped:
            try:
                return self._overflow.popleft()
            except IndexError:
                self._idle.append(None)
            if (self._overflow or self._is_stopped) and self._take_token():
                continue
            return self._wait_for_job()
        return None

    def _wait_for_job(self) -> Callable[[], bool] | None:
        while True:
            try:
                return self._assigned.get(timeout=IDLE_S)
            except Empty:
                if self._take_token():
                    return None  # else a job is on its way

    def _take_token(self) -> bool:
        try:
            self._idle.pop()
        except IndexError:
            return False
        return True
