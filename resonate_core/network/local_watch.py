"""Who wants to know, in this process, when a promise settles."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from resonate_core.protocol.records import PromiseRecord

    OnSettled = Callable[[PromiseRecord], None]


class Watches:
    """Callbacks by promise, each told once. Any thread may add; the server's thread takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[str, list[OnSettled]] = {}
        self._deadlines: list[tuple[int, str]] = []

    def add(self, id: str, on_settled: OnSettled) -> None:  # noqa: A002 - the protocol's word
        """Remember a callback."""
        with self._lock:
            self._callbacks.setdefault(id, []).append(on_settled)

    def remove(self, id: str, on_settled: OnSettled) -> None:  # noqa: A002 - the protocol's word
        """Forget a callback; an unknown one is no matter."""
        with self._lock:
            waiting = self._callbacks.get(id)
            if waiting is None or on_settled not in waiting:
                return
            waiting.remove(on_settled)
            if not waiting:
                del self._callbacks[id]

    def take(self, settled: Iterable[PromiseRecord]) -> list[tuple[OnSettled, PromiseRecord]]:
        """Remove and return the callbacks of promises that have settled."""
        if not self._callbacks:
            return []
        with self._lock:
            return [
                (callback, promise)
                for promise in settled
                if promise.id in self._callbacks
                for callback in self._callbacks.pop(promise.id)
            ]

    def ids(self) -> list[str]:
        """Return what is watched."""
        with self._lock:
            return list(self._callbacks)

    def __len__(self) -> int:
        return len(self._callbacks)

    def look_again_at(self, instant_ms: int, id: str) -> None:  # noqa: A002 - the protocol's word
        """Note the deadline of a watched promise that has no timer in the store."""
        heapq.heappush(self._deadlines, (instant_ms, id))

    def take_deadlines(self, now_ms: int) -> list[str]:
        """Return watched promises whose deadline has come."""
        found = []
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            found.append(heapq.heappop(self._deadlines)[1])
        return [id for id in found if id in self._callbacks]  # noqa: A001 - the protocol's word

    @property
    def next_deadline_ms(self) -> int | None:
        """Instant of the first noted deadline."""
        return self._deadlines[0][0] if self._deadlines else None
