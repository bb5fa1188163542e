"""Steps in the calling thread, for simulation and tests: nothing runs beside the caller, so every run is the same.

Retry waits and limits stay on the runner's heap; whoever owns the (virtual) clock moves it on and calls ``run_due``.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class InlineThreads:
    """Has the face of ``StepThreads``; runs each job at once."""

    count = 0

    def submit(self, job: Callable[[], bool]) -> None:
        """Run a job here and now."""
        job()

    def thread_lost(self) -> None:
        """There is no thread to lose."""

    def stop(self) -> None:
        """There is no thread to end."""


class InlineLoop:
    """Has the face of ``StepLoop``; runs the tasks that a function starts to their end, on a private loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def call(self, function: Callable[[], None], on_gone: Callable[[], None]) -> None:
        """Call a function on the loop and wait until its tasks are done."""
        del on_gone  # a private loop is never gone
        running = asyncio._get_running_loop()  # noqa: SLF001 - the public form raises where there is none
        if running is not None and running is self._loop:
            function()
        elif running is not None:  # the caller is a coroutine: two loops cannot run in one thread
            helper = threading.Thread(target=self._run, args=(function,))
            helper.start()
            helper.join()
        else:
            self._run(function)

    def stop(self) -> None:
        """Close the private loop."""
        if self._loop is not None and not self._loop.is_running():
            self._loop.close()
            self._loop = None

    def _run(self, function: Callable[[], None]) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(_to_the_end(function))


async def _to_the_end(function: Callable[[], None]) -> None:
    before = asyncio.all_tasks()
    function()
    while tasks := asyncio.all_tasks() - before:
        await asyncio.wait(tasks)
