"""Seats in a process: how many bodies of one queue run here at once."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def seat_in(queue: str, partition: str | None, most: int) -> Seat:
    """Return a seat of a queue, or of a partition of it; ``most`` bodies have one at the same time.

    It is a context manager. Inside, ``yield Driver(ctx).outside(seat.wait)`` waits until it is taken; leaving gives it
    to the next.
    """
    return Seat(_rooms.setdefault((queue, partition), _Room()), most)


class _Room:
    """Bodies of one queue that run in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = 0
        self.line: list[Seat] = []

    def admit(self) -> Iterator[Callable[[Any], None]]:
        """Give those that may go on now; call with the lock held."""
        while self.line and self.running < self.line[0].most:
            seat = self.line.pop(0)
            seat.is_taken = True
            self.running += 1
            if seat.give is not None:
                yield seat.give


class Seat:
    """One body's place in a room."""

    def __init__(self, room: _Room, most: int) -> None:
        self.room = room
        self.most = most
        self.give: Callable[[Any], None] | None = None
        self.is_taken = False

    def wait(self, give: Callable[[Any], None]) -> None:
        """Tell when the seat is taken."""
        with self.room.lock:
            self.give = give
            if self.is_taken:
                ready = [give]
            else:
                if self not in self.room.line:
                    self.room.line.append(self)
                ready = list(self.room.admit())
        for tell in ready:
            tell(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self.room.lock:
            if self.is_taken:
                self.room.running -= 1
            with contextlib.suppress(ValueError):
                self.room.line.remove(self)
            ready = list(self.room.admit())
        for tell in ready:
            tell(None)


_rooms: Final[dict[tuple[str, str | None], _Room]] = {}
