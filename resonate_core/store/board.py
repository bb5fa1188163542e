"""What the processes on one SQLite file tell one another, in the same transactions as everything else.

``peers`` says who is there and for whom it executes. ``bulletin`` is a short log: an execute or unblock message for
another process, or the news that a promise has settled. Rows are written only while another process is there to read
them. A reader looks when ``PRAGMA data_version`` says that somebody else has committed; if it has slept through rows
that are gone, it looks at everything again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from resonate_core.store import queries as q

if TYPE_CHECKING:
    import sqlite3

    from resonate_core.store.presence import Presence

NoteKind = Literal["execute", "unblock", "settled"]

#: How long a row is kept for readers, and how many rows are written between two clean-ups.
KEEP_MS: Final = 30_000
TRIM_COUNT: Final = 500


class Peer(msgspec.Struct, frozen=True):
    """A network of some process. A process that only watches is a peer without a group."""

    group: str
    pid: str
    is_worker: bool
    process: int


class Note(msgspec.Struct, frozen=True):
    """A row of the bulletin: ``pid`` and ``group`` name the receiver of a message."""

    kind: NoteKind
    id: str
    group: str | None = None
    pid: str | None = None
    version: int | None = None


class Board:
    """The view of one process. Used by its server's thread only."""

    def __init__(self, db: sqlite3.Connection, presence: Presence) -> None:
        self._execute = db.execute
        self._presence = presence
        self._seen_version = -1
        self._last_seq = 0
        self._posted = TRIM_COUNT
        self.is_announced = False
        self.others: list[Peer] = []

    # -- noticing ------------------------------------------------------------------------------------------------

    def is_changed(self) -> bool:
        """Whether another process has committed since the last call."""
        version = self._execute("PRAGMA data_version").fetchone()[0]
        if version == self._seen_version:
            return False
        self._seen_version = version
        return True

    def reload_peers(self) -> None:
        """Read who is there; the dead are removed from the file by whoever posts next."""
        mine = self._presence.number
        rows = self._execute(q.PEERS, (mine,)).fetchall()
        peers = [Peer(group, pid, bool(is_worker), process) for group, pid, is_worker, process in rows]
        self.others = [peer for peer in peers if self._presence.is_alive(peer.process)]

    def read(self) -> list[Note] | None:
        """Return what others have posted since the last call; None if some of it is gone already."""
        rows = self._execute(q.BULLETIN_AFTER, (self._last_seq,)).fetchall()
        if not rows:
            return []
        is_whole = rows[0][0] == self._last_seq + 1
        self._last_seq = rows[-1][0]
        if not is_whole:
            return None
        mine = self._presence.number
        return [
            Note(kind, id_, group, pid, version)
            for _, kind, id_, group, pid, version, process in rows
            if process != mine
        ]

    # -- telling -------------------------------------------------------------------------------------------------

    def join(self, group: str, pid: str, *, is_worker: bool) -> None:
        """Say that a network is here."""
        self.announce()
        self._execute(q.PEER_PUT, (group, pid, is_worker, self._presence.number))

    def announce(self) -> None:
        """Say that this process is here and wants to hear of settlements, until it closes the file."""
        if self.is_announced:
            return
        self.is_announced = True
        self._last_seq = self._execute(q.BULLETIN_LAST).fetchone()[0]
        number = self._presence.number
        self._execute(q.PEER_PUT, ("", str(number), False, number))

    def leave(self, group: str, pid: str) -> None:
        """Say that a network has gone."""
        self._execute(q.PEER_REMOVE, (group, pid, self._presence.number))

    def leave_all(self) -> None:
        """Say that this process has gone."""
        self._execute(q.PEERS_REMOVE, (self._presence.number,))

    def living(self) -> list[Peer]:
        """Return the others that still run; forget those that do not."""
        dead = {peer.process for peer in self.others if not self._presence.is_alive(peer.process)}
        for process in dead:
            self._execute(q.PEERS_REMOVE, (process,))
        if dead:
            self.others = [peer for peer in self.others if peer.process not in dead]
        return self.others

    def post(self, notes: list[Note], now_ms: int) -> None:
        """Write rows for the others, and now and then remove old ones."""
        mine = self._presence.number
        for note in notes:
            self._execute(q.BULLETIN_ADD, (note.kind, note.id, note.group, note.pid, note.version, mine, now_ms))
        self._posted += len(notes)
        if self._posted >= TRIM_COUNT:
            self._posted = 0
            self._execute(q.BULLETIN_TRIM, (now_ms - KEEP_MS,))

    def abandon(self) -> None:
        """In a forked child: the locks are the parent's."""
        self._presence.abandon()

    def close(self) -> None:
        """Leave the file to the others."""
        self._presence.leave()
