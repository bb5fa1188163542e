"""Where messages go: to a network of this process, or over the file to another process.

A message for this process is handed over after the commit and never written. One for another process is a row,
written in the transaction that caused it. Which process executes a task is settled by ``task.acquire``, not here: a
message that gets lost or comes twice costs time only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from resonate_core.machine.lifecycle import is_internal
from resonate_core.machine.state import Outgoing
from resonate_core.network.local_members import Member, Members
from resonate_core.protocol.requests import Execute
from resonate_core.store.board import Note

if TYPE_CHECKING:
    from resonate_core.network.local_engine import Commit
    from resonate_core.store.board import Board, Peer
    from resonate_core.store.port import Store

#: Tasks offered at once to a worker that has just started; timers bring the rest.
OFFER_COUNT_MAX: Final = 10_000


class Exchange:
    """Members here, peers elsewhere. The server's thread uses it.

    Args:
        board: of a store that several processes share; None if it is ours alone.
    """

    def __init__(self, board: Board | None) -> None:
        self.members = Members()
        self._board = board
        self.has_news = False

    @property
    def is_listening(self) -> bool:
        """Whether another process could have something to say to this one."""
        return self._board is not None and self._board.is_announced

    def look(self) -> bool:
        """Notice whether another process has committed since the last look."""
        if self._board is None or not self._board.is_changed():
            return False
        self._board.reload_peers()
        self.has_news = True
        return True

    def join(self, member: Member) -> None:
        """Add a member, inside a transaction."""
        self.members.put(member)
        if self._board is not None:
            self._board.join(member.group, member.pid, is_worker=member.is_worker)

    def announce(self) -> None:
        """Say, inside a transaction, that this process wants to hear of settlements."""
        if self._board is not None:
            self._board.announce()

    def leave(self, group: str, pid: str) -> None:
        """Remove a member, inside a transaction."""
        self.members.remove(group, pid)
        if self._board is not None:
            self._board.leave(group, pid)

    def offered(self, store: Store, now_ms: int) -> list[tuple[Member, Execute]]:
        """Return pending tasks that workers of this process may take, each for one of them; timers offer the due."""
        found = []
        for address in self.members.routes:
            for task in store.offered(address, now_ms, limit=OFFER_COUNT_MAX):
                message = Execute(task.id, task.version)
                worker = self.members.choose(Outgoing(task.address, message, task.last_pid), ())
                if isinstance(worker, Member):
                    found.append((worker, message))
        return found

    def dispatch(self, commit: Commit, now_ms: int) -> None:
        """Decide, inside the transaction, who gets which message, and write the rows for other processes."""
        if self._board is None or not (commit.outbox or commit.settled):
            others: list[Peer] = []
        else:
            others = self._board.living()
        notes = []
        for outgoing in commit.outbox:
            receiver = self.members.choose(outgoing, others)
            if isinstance(receiver, Member):
                commit.deliveries.append((receiver, outgoing.message))
            elif receiver is not None:
                notes.append(_note(outgoing, receiver))
        if others:
            notes += [Note("settled", one.id) for one in commit.settled.values() if not is_internal(one.tags)]
        if notes and self._board is not None:
            self._board.post(notes, now_ms)

    def take_news(self) -> list[Note] | None:
        """Return what others have said; None if some of it is gone and everything must be looked at again."""
        self.has_news = False
        if self._board is None or not self.is_listening:
            return []
        return self._board.read()

    def close(self) -> None:
        """Leave the store to the others, inside a transaction."""
        if self._board is not None and self.is_listening:
            self._board.leave_all()


def _note(outgoing: Outgoing, receiver: Peer) -> Note:
    message = outgoing.message
    if isinstance(message, Execute):
        return Note("execute", message.id, receiver.group, receiver.pid, message.version)
    return Note("unblock", message.promise.id, receiver.group, receiver.pid)
