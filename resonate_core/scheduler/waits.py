"""Waits: what a blocked branch is waiting for, and what an event makes of it.

A wait has *keys*, the sources of the execution. ``resolve`` is called when the event of one key is delivered and says
how the branch goes on: ``("send", value)`` or ``("throw", error)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from resonate_core.driver import Event
from resonate_core.scheduler.inbox import ANY_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.scheduler.branch import Branch
    from resonate_core.scheduler.inbox import Message
    from resonate_core.scheduler.promises import Slot

Action = tuple[Literal["send", "throw"], Any]


def outcome_of(slot: Slot) -> Action:
    """Return how a branch goes on that waited for this slot."""
    return ("throw", slot.error) if slot.error is not None else ("send", slot.value)


class Wait:
    """Base: one branch, some keys."""

    __slots__ = ("branch", "keys")

    def __init__(self, branch: Branch, keys: list[str]) -> None:
        self.branch = branch
        self.keys = keys

    def resolve(self, key: str, payload: Any) -> Action | None:
        """Say how the branch goes on; None if it waits on."""
        raise NotImplementedError

    def offer(self, *, with_failures: bool) -> str | None:
        """Return the payload of a further event of the same wait."""
        return None

    def slots(self) -> list[Slot]:
        """Return the promises behind the wait, for suspension and cancellation."""
        return []


class WaitOne(Wait):
    """``yield promise`` and the blocking calls."""

    __slots__ = ("slot",)

    def __init__(self, branch: Branch, slot: Slot) -> None:
        super().__init__(branch, [slot.id])
        self.slot = slot

    def resolve(self, key: str, payload: Any) -> Action:
        """Give the value or raise the error."""
        return outcome_of(self.slot)

    def slots(self) -> list[Slot]:
        """Return the one promise."""
        return [self.slot]


class WaitAny(Wait):
    """``select``: the first event decides; the value is (index, value)."""

    __slots__ = ("_slots",)

    def __init__(self, branch: Branch, slots: list[Slot]) -> None:
        super().__init__(branch, list(dict.fromkeys(slot.id for slot in slots)))
        self._slots = slots

    def resolve(self, key: str, payload: Any) -> Action:
        """Give (index, value) of the first argument with this id, or raise its error."""
        index, slot = next((i, s) for i, s in enumerate(self._slots) if s.id == key)
        return ("throw", slot.error) if slot.error is not None else ("send", (index, slot.value))

    def slots(self) -> list[Slot]:
        """Return all contenders."""
        return self._slots


#: Payload of a gather's event: a part has succeeded, so another one may begin.
ROOM: Final = "+"


def is_failure(key: str, payload: Any) -> bool:
    """Say whether an event is that a part of a gather failed: which one was first is always recorded."""
    return key.startswith("g:") and payload not in ("", ROOM)


class WaitAll(Wait):
    """``gather``: one key of its own. Its events are completion, the first failure, and room for parts not begun.

    A success is no event where all parts have begun: then it changes nothing but the count.
    """

    __slots__ = ("_begin_next", "_return_exceptions", "_room_now", "begun", "failed", "open_count", "room")

    def __init__(self, branch: Branch, key: str, *, return_exceptions: bool, begin_next: Callable[[], None]) -> None:
        super().__init__(branch, [key])
        self._return_exceptions = return_exceptions
        self._begin_next = begin_next
        self._room_now = 0
        self.begun: list[Slot] = []
        self.open_count = 0
        self.room = 0
        self.failed: Slot | None = None

    def settled(self, slot: Slot) -> None:
        """Take note of a settled part."""
        if slot.error is not None and not self._return_exceptions:
            self.failed = self.failed or slot
            return
        self.open_count -= 1
        if self.room:
            self.room -= 1
            self._room_now += 1

    def offer(self, *, with_failures: bool) -> str | None:
        """Return the payload of the event that can be delivered, None if none can."""
        if self._room_now:
            return ROOM
        if self.open_count == 0:
            return ""
        return self.failed.id if self.failed is not None and with_failures else None

    def can_give(self, payload: str) -> bool:
        """Say whether a recorded event can be delivered now."""
        if payload == ROOM:
            return self._room_now > 0
        if not payload:
            return self.open_count == 0
        return any(slot.id == payload and slot.error is not None for slot in self.begun)

    def resolve(self, key: str, payload: Any) -> Action | None:
        """Give the values in the order of arguments, or raise the first error; where there is room, begin the next."""
        if payload == ROOM:
            self._room_now -= 1
            self._begin_next()
            return None
        if payload:
            return ("throw", next(slot.error for slot in self.begun if slot.id == payload))
        return ("send", [slot.value if slot.error is None else slot.error for slot in self.begun])

    def slots(self) -> list[Slot]:
        """Return those still open."""
        return [slot for slot in self.begun if not slot.is_settled]


class WaitPredicate(Wait):
    """``wait_until``: looked at whenever the execution is quiescent; only its timer is a source."""

    __slots__ = ("predicate", "timer")

    def __init__(self, branch: Branch, predicate: Callable[[], Any], timer: Slot | None) -> None:
        super().__init__(branch, [timer.id] if timer else [])
        self.predicate = predicate
        self.timer = timer

    def resolve(self, key: str, payload: Any) -> Action:
        """The deadline passed first."""
        return ("throw", TimeoutError("wait_until: the deadline passed before the condition was true"))

    def slots(self) -> list[Slot]:
        """Return the timer."""
        return [self.timer] if self.timer else []


class WaitMessage(Wait):
    """``recv``: the next message of a topic, or None when the deadline comes first."""

    __slots__ = ("timer", "topic")

    def __init__(self, branch: Branch, key: str, topic: str | None, timer: Slot | None) -> None:
        super().__init__(branch, [key, timer.id] if timer else [key])
        self.topic = topic
        self.timer = timer

    def resolve(self, key: str, payload: Any) -> Action:
        """Give the message's content, or None on the deadline."""
        if self.timer is not None and key == self.timer.id:
            return ("send", None)
        message: Message | None = payload
        return ("send", None if message is None else message.content)

    def slots(self) -> list[Slot]:
        """Return the timer."""
        return [self.timer] if self.timer else []


class WaitNext(WaitMessage):
    """A driver's wait: one of several promises, or the next message of any kind."""

    __slots__ = ("_slots",)

    def __init__(self, branch: Branch, key: str, slots: list[Slot]) -> None:
        super().__init__(branch, key, ANY_TOPIC, None)
        self.keys = [key, *(slot.id for slot in slots)]
        self._slots = slots

    def resolve(self, key: str, payload: Any) -> Action:
        """Give the event."""
        if key == self.keys[0]:
            return ("send", Event(message=payload))
        index, slot = next((i, s) for i, s in enumerate(self._slots) if s.id == key)
        return ("send", Event(index=index, value=slot.value, error=slot.error))

    def slots(self) -> list[Slot]:
        """Return the promises."""
        return self._slots


class WaitDrain(Wait):
    """``drain``: until the handlers of all messages below ``bound`` have been called."""

    __slots__ = ("bound", "start")

    def __init__(self, branch: Branch, key: str, start: int) -> None:
        super().__init__(branch, [key])
        self.start = start
        self.bound: int | None = None

    def resolve(self, key: str, payload: Any) -> Action:
        """Give the number of messages handled."""
        return ("send", payload)


class WaitAnswer(Wait):
    """A durable operation that has no promise of its own to wait for, only the server's answer (``send``, events)."""

    __slots__ = ()

    def __init__(self, branch: Branch, key: str) -> None:
        super().__init__(branch, [key])

    def resolve(self, key: str, payload: Any) -> Action:
        """Give what the operation gave."""
        value, error = payload
        return ("throw", error) if error is not None else ("send", value)
