"""Who wants to know, in this process, when a promise settles."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from resonate_core.protocol.records import PromiseRecord

    OnSettled = Callable[[PromiseRecord], None]

#: Watched promises that are looked at for one commit of another process.
LOOK_COUNT: Final = 256


class Watches:
    """Callbacks by promise, each told once. Any thread may add; the server's thread takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[str, list[OnSettled]] = {}
        self._deadlines: list[tuple[int, str]] = []
        self._untold: dict[str, None] = {}

    def add(self, id: str, on_settled: OnSettled) -> None:
        """Remember a callback."""
        with self._lock:
            self._callbacks.setdefault(id, []).append(on_settled)

    def remove(self, id: str, on_settled: OnSettled) -> None:
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

    def __contains__(self, id: str) -> bool:
        return id in self._callbacks

    def look_on_news(self, id: str) -> None:
        """Note that other processes will not tell of this one: it does not exist yet, or is a local child."""
        self._untold[id] = None

    def take_for_news(self) -> list[str]:
        """Return some of those, all of them in turn; each is noted again if it has not settled."""
        found: list[str] = []
        while self._untold and len(found) < LOOK_COUNT:
            id = next(iter(self._untold))
            del self._untold[id]
            if id in self._callbacks:
                found.append(id)
        return found

    def ids(self) -> list[str]:
        """Return what is watched."""
        with self._lock:
            return list(self._callbacks)

    def __len__(self) -> int:
        return len(self._callbacks)

    def look_again_at(self, instant_ms: int, id: str) -> None:
        """Note the deadline of a watched promise that has no timer in the store."""
        heapq.heappush(self._deadlines, (instant_ms, id))

    def take_deadlines(self, now_ms: int) -> list[str]:
        """Return watched promises whose deadline has come."""
        found = []
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            found.append(heapq.heappop(self._deadlines)[1])
        return [id for id in found if id in self._callbacks]

    @property
    def next_deadline_ms(self) -> int | None:
        """Instant of the first noted deadline."""
        first = next(iter(self._deadlines), None)
        return None if first is None else first[0]
