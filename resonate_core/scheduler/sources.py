"""What the branches of an execution wait for, and which of it can be delivered.

A *source* is a key that at least one wait names: a promise, a gather, a receiver, an answer. It is *available* when its
event can be delivered. Predicates have no key; they are looked at whenever the execution is quiescent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resonate_core.scheduler.waits import Wait, WaitAll, WaitDrain, WaitMessage, WaitPredicate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resonate_core.scheduler.inbox import Inbox
    from resonate_core.scheduler.promises import Slot


class Sources:
    """The waits of one execution.

    Args:
        slots: the execution's promises by id.
        inbox: the execution's messages.
    """

    def __init__(self, slots: Mapping[str, Slot], inbox: Inbox) -> None:
        self._slots = slots
        self._inbox = inbox
        self._waits: dict[str, list[Wait]] = {}
        self._available: dict[str, Any] = {}
        self._receivers: list[WaitMessage] = []
        self._drains: list[WaitDrain] = []
        self.predicates: list[WaitPredicate] = []

    def __len__(self) -> int:
        return len(self._waits)

    def __contains__(self, key: str) -> bool:
        return key in self._waits

    def __iter__(self) -> Iterator[str]:
        return iter(self._waits)

    def of(self, key: str) -> list[Wait]:
        """Return who waits for a source; the list is the caller's own."""
        return list(self._waits.get(key, ()))

    def all_waits(self) -> list[Wait]:
        """Return every wait once."""
        waits = {id(wait): wait for waiting in self._waits.values() for wait in waiting}
        return [*waits.values(), *(wait for wait in self.predicates if id(wait) not in waits)]

    def add(self, wait: Wait) -> None:
        """Register what a branch waits for."""
        for key in wait.keys:
            self._waits.setdefault(key, []).append(wait)
            slot = self._slots.get(key)
            if slot is not None and slot.is_settled:
                self._available.setdefault(key, None)
        if isinstance(wait, WaitPredicate):
            self.predicates.append(wait)
        elif isinstance(wait, WaitMessage):
            self._receivers.append(wait)
            self.match_receivers()
        elif isinstance(wait, WaitDrain):
            self._drains.append(wait)

    def remove(self, wait: Wait) -> None:
        """Forget a wait that is over."""
        for key in wait.keys:
            waiting = self._waits.get(key)
            if waiting and wait in waiting:
                waiting.remove(wait)
                if not waiting:
                    del self._waits[key]
                    self._available.pop(key, None)
        if isinstance(wait, WaitPredicate):
            self.predicates.remove(wait)
        elif isinstance(wait, WaitMessage):
            self._receivers.remove(wait)
        elif isinstance(wait, WaitDrain):
            self._drains.remove(wait)

    # -- what can be delivered -------------------------------------------------------------------------------------

    def make_available(self, key: str, payload: Any = None) -> None:
        """Say that the event of a source can be delivered, if anybody waits for it."""
        if key in self._waits:
            self._available.setdefault(key, payload)

    def take(self, key: str) -> None:
        """Say that the event of a source is being delivered."""
        self._available.pop(key, None)

    def offers(self, *, with_failures: bool = True) -> Iterator[tuple[str, Any]]:
        """Give (key, payload) of what can be delivered now, in the order in which it became so."""
        for key, payload in self._available.items():
            wait = self._waits[key][0]
            if isinstance(wait, WaitAll):
                offer = wait.offer(with_failures=with_failures)
                if offer is not None:
                    yield key, offer
            elif key.startswith("r:"):  # another receiver may have taken the message
                message = self._inbox.match(wait.topic) if isinstance(wait, WaitMessage) else None
                if message is not None:
                    yield key, message
            else:
                yield key, payload

    def recorded(self, key: str, recorded: str) -> tuple[Any] | None:
        """Return the payload of an event that a record names, in a tuple, or None if it cannot be delivered yet."""
        wait = self._waits[key][0]
        if isinstance(wait, WaitAll):
            return (recorded,) if wait.can_give(recorded) else None
        if recorded:
            message = self._inbox.kept(int(recorded))
            return None if message is None else (message,)
        return (self._available[key],) if key in self._available else None

    def match_receivers(self) -> None:
        """Look which receivers a message is there for."""
        for wait in self._receivers:
            if self._inbox.match(wait.topic) is not None:
                self.make_available(wait.keys[0])

    def check_drains(self) -> None:
        """Look which drains have nothing left to wait for."""
        for wait in self._drains:
            bound = wait.bound
            if bound is None or self._inbox.next_slot < bound or self._inbox.event_count_below(bound):
                continue
            self.make_available(wait.keys[0], bound - wait.start)
