"""The order of events: what was recorded, what comes next, what must be recorded now."""

from __future__ import annotations

from typing import Final

#: Key of the source "the next message that has a handler".
INBOX_KEY: Final = "inbox"
#: Payload of a message that came together with the event before it: delivered before the function goes on from that.
GLUED: Final = "+"
#: Between the key of an event and its payload, in an order record.
SEPARATOR: Final = "="


class OrderLog:
    """Events by number. ``position`` is the number of the next event."""

    def __init__(self) -> None:
        self._planned: dict[int, tuple[str, str]] = {}
        self._last_planned = -1
        self._pending: list[str] = []
        self._pending_first = 0
        self.position = 0

    def load(self, first: int, entries: list[str]) -> None:
        """Take in one order record of the history."""
        for offset, entry in enumerate(entries):
            key, _, payload = entry.partition(SEPARATOR)
            self._planned[first + offset] = (key, payload)
            self._last_planned = max(self._last_planned, first + offset)

    @property
    def planned(self) -> tuple[str, str] | None:
        """The recorded (key, payload) of the next event, or None where no record names it."""
        return self._planned.get(self.position)

    @property
    def is_past_record(self) -> bool:
        """Whether everything that was recorded has been delivered: from here on the execution is live."""
        return self.position > self._last_planned

    def advance(self, key: str, payload: str, *, must_record: bool) -> None:
        """Count an event as delivered; note it for recording if it could have been another one."""
        number = self.position
        self.position += 1
        if self._planned.pop(number, None) is not None or not must_record:
            return
        if self._pending and number != self._pending_first + len(self._pending):
            raise AssertionError("order records of one batch are contiguous: flush before a gap")
        if not self._pending:
            self._pending_first = number
        self._pending.append(self.entry(key, payload))

    @staticmethod
    def entry(key: str, payload: str) -> str:
        """Return the stored form of one event."""
        return f"{key}{SEPARATOR}{payload}"

    @property
    def breaks_batch(self) -> bool:
        """Whether an event delivered now could not join the pending batch."""
        return bool(self._pending) and self.position != self._pending_first + len(self._pending)

    def take_pending(self) -> tuple[int, list[str]] | None:
        """Remove and return (first number, entries) that wait to be recorded."""
        if not self._pending:
            return None
        pending, self._pending = self._pending, []
        return self._pending_first, pending
