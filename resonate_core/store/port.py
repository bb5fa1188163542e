"""What the embedded server asks of a store, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from resonate_core.machine.state import View

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from resonate_core.errors import StoreError
    from resonate_core.machine.state import Effects, TaskRow
    from resonate_core.machine.timers import Due
    from resonate_core.store.board import Board


class Store(View, Protocol):
    """State behind transactions. One thread uses it at a time.

    Reading and ``apply`` happen between ``begin`` and ``commit``. ``routes`` are the addresses that somebody serves
    (None: all): a pending task that nobody could take is left alone until somebody comes.
    """

    path: str
    board: Board | None

    def begin(self) -> None:
        """Start a transaction that may write."""

    def commit(self) -> None:
        """Make everything since ``begin`` durable; without changes this costs nothing."""

    def rollback(self) -> None:
        """Forget everything since ``begin``."""

    def mark(self) -> None:
        """Remember this point of the transaction."""

    def undo(self) -> None:
        """Forget everything since ``mark``."""

    def release(self) -> None:
        """Keep everything since ``mark``."""

    def apply(self, effects: Effects) -> None:
        """Store what a decision changes; later reads see it."""

    def due(self, now_ms: int, *, limit: int, routes: Collection[str] | None) -> list[Due]:
        """Return timers whose instant has come, at most ``limit`` of each kind, in the order to fire them."""

    def next_due(self, routes: Collection[str] | None) -> int | None:
        """Return the instant of the next timer."""

    def offered(self, route: str, now_ms: int, *, limit: int) -> Sequence[TaskRow]:
        """Return pending tasks that have been offered and are not due again yet: a new worker has missed that."""

    def explain(self, error: Exception) -> StoreError:
        """Return what went wrong in our words: the file, what happened, what to do."""

    def close(self) -> None:
        """Let go of the file."""
