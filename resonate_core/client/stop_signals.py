"""SIGINT and SIGTERM for asynchronous servers: a loop has one handler for a signal, and it stops every server there."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

#: What each loop's servers wait for. Used from the loop's own thread only.
_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Event]] = WeakKeyDictionary()


@contextmanager
def set_by_signals(done: asyncio.Event, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let SIGINT and SIGTERM set an event, beside those of other servers of the loop, while the block runs."""
    waiting = _waiting.setdefault(loop, set())
    if not waiting:
        for number in _SIGNALS:
            _install(loop, number, waiting)
    waiting.add(done)
    try:
        yield
    finally:
        waiting.discard(done)
        if not waiting:
            for number in _SIGNALS:
                _remove(loop, number)


def _install(loop: asyncio.AbstractEventLoop, number: int, waiting: set[asyncio.Event]) -> None:
    def stop_all() -> None:
        for done in waiting:
            done.set()

    try:
        loop.add_signal_handler(number, stop_all)
    except (NotImplementedError, RuntimeError, ValueError):
        return  # another thread, another platform: whoever owns the process stops the servers


def _remove(loop: asyncio.AbstractEventLoop, number: int) -> None:
    try:
        loop.remove_signal_handler(number)
    except (NotImplementedError, RuntimeError, ValueError):
        return
