"""Threads for plain functions: made when needed, reused, replaced when one is lost to a function that never returns.

Jobs pass through one queue. Idle threads leave a token in a deque, and whoever submits takes one; where there is none,
a thread is made. A thread takes waiting work before it leaves a token, so a token always stands for a thread that
waits, and no job stands behind a busy thread while the limit allows another.
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
    """A pool.

    Args:
        max_threads: live threads at the same time; lost ones do not count.
        describe: names what runs now, for the warning when the pool is full.
    """

    def __init__(self, max_threads: int, describe: Callable[[], str]) -> None:
        self._max_threads = max_threads
        self._describe = describe
        self._jobs: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()
        self._idle: deque[None] = deque()
        self._lock = threading.Lock()
        self._count = 0
        self._made = 0
        self._is_full_said = False

    @property
    def count(self) -> int:
        """Threads that are not lost."""
        return self._count

    def submit(self, job: Callable[[], bool]) -> None:
        """Run a job on a thread; a job that returns False has lost its thread, which ends."""
        try:
            self._idle.pop()
        except IndexError:
            self._make_thread()
        self._jobs.put(job)

    def thread_lost(self) -> None:
        """Note that a job holds its thread beyond its time; another one takes its place when there is work."""
        with self._lock:
            self._count -= 1
            self._is_full_said = False
        if not self._jobs.empty():
            self._make_thread()

    def stop(self) -> None:
        """End the threads that are idle; busy ones end when their job does."""
        with self._lock:
            for _ in range(self._count):
                self._jobs.put(None)

    def _make_thread(self) -> None:
        with self._lock:
            if self._count >= self._max_threads:
                self._say_full()
                return
            self._count += 1
            self._made += 1
            thread = threading.Thread(target=self._work, name=f"resonate-step-{self._made}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                self._count -= 1
                if self._count == 0:
                    raise  # nobody would ever take the job

    def _say_full(self) -> None:
        if not self._is_full_said:
            self._is_full_said = True
            _logger.warning(
                "all %d step threads are busy, further steps wait: %s; set attempt_timeout on steps that may hang",
                self._max_threads,
                self._describe(),
            )

    def _work(self) -> None:
        while True:
            job = self._next_job()
            if job is None:
                with self._lock:
                    self._count -= 1
                return
            if not job():
                return  # counted by thread_lost

    def _next_job(self) -> Callable[[], bool] | None:
        jobs = self._jobs
        if not jobs.empty():
            try:
                return jobs.get_nowait()
            except Empty:
                pass
        self._idle.append(None)
        while True:
            try:
                return jobs.get(timeout=IDLE_S)
            except Empty:
                try:
                    self._idle.pop()
                except IndexError:
                    continue  # somebody has taken this token: a job is on its way
                return None
