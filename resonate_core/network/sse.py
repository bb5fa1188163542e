"""Server-Sent Events: blocks of ``data:`` lines, a blank line ends each."""

from __future__ import annotations

from typing import Final

#: A line that means nothing: it shows that the connection lives, and lets a dead one be noticed.
COMMENT: Final = b":\n\n"

#: One event may not grow beyond this: an unblock carries a promise, which is bounded by the size of a request.
EVENT_BYTES_MAX: Final = 8 * 1024 * 1024


def write_event(data: bytes) -> bytes:
    """Return one event; JSON has no line breaks, so it is one line."""
    return b"data: " + data + b"\n\n"


class EventParser:
    """Cuts a stream of bytes into the data of its events, wherever the network has split it."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the events that are complete with these bytes.

        Raises:
            ValueError: an event without end; the connection is not what it should be.
        """
        parts = (self._rest + chunk).split(b"\n")
        self._rest = parts.pop()
        events = []
        for part in parts:
            event = self._line(part.removesuffix(b"\r"))
            if event is not None:
                events.append(event)
        if len(self._rest) + self._size > EVENT_BYTES_MAX:
            raise ValueError(f"an event of more than {EVENT_BYTES_MAX} bytes")
        return events

    def _line(self, line: bytes) -> bytes | None:
        if line.startswith(b"data:"):
            self._lines.append(line[5:].removeprefix(b" "))
            self._size += len(line)
        elif not line and self._lines:
            event = b"\n".join(self._lines)
            self._lines = []
            self._size = 0
            return event
        return None
