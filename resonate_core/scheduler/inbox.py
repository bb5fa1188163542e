"""The inbox of an execution as the execution sees it: numbered messages, some read, some not.

The store keeps slot N as the promise ``E.inbox.N``; slots are filled without holes. Messages with a handler, and
cancellation, are *events*, delivered in their order. All others wait until ``recv`` takes them by topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

#: "hole" is a slot that was settled without a message; "closed" says that no further one is accepted.
MessageKind = Literal["signal", "update", "send", "cancel", "closed", "hole"]

#: Header of a message's value: its id, by which senders recognise their own and receivers drop repetitions.
MESSAGE_HEADER = "resonate:message"

#: Topic of a receiver that takes every message, of whatever kind.
ANY_TOPIC: Final = "\x00any"


class Message(msgspec.Struct):
    """One message.

    Attributes:
        id: by which its sender and the receiver recognise it.
        topic: name of a signal or update, or topic of a send (None: no topic).
        reply: promise that the sender of an update waits for.
        accepted: promise that is settled when the handler of an update has begun and goes on.
        slot: where it stands in the inbox; not stored.
        at_ms: when it was accepted; not stored.
        about: what another API's client says beyond the arguments (headers, identity); handlers do not see it.
        is_plain: whether its writer left no types beside the JSON, so that a handler's annotations say what it is.
    """

    id: str
    kind: MessageKind
    topic: str | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    reply: str | None = None
    slot: int = -1
    at_ms: int = 0
    about: dict[str, Any] = {}
    is_plain: bool = False
    accepted: str | None = None

    @property
    def content(self) -> Any:
        """What ``recv`` gives: the value sent; of several arguments, the list."""
        return self.args[0] if len(self.args) == 1 else list(self.args)


class Inbox:
    """Messages known so far. ``next_slot`` is the first slot that has not been seen."""

    def __init__(self, is_event: Callable[[Message], bool], *, first_slot: int = 0) -> None:
        self._is_event = is_event
        self._events: dict[int, Message] = {}
        self._kept: dict[int, Message] = {}
        self._seen: set[str] = set()
        self._read_below = 0
        self._left_over: frozenset[int] = frozenset()
        self.next_slot = first_slot
        self.is_closed = False

    def skip_read(self, below: int, left_over: list[int]) -> None:
        """Pass over what earlier runs have read: all slots below a bound but those left over."""
        self._read_below = below
        self._left_over = frozenset(left_over)

    def is_left_over(self, slot: int) -> bool:
        """Whether earlier runs have left the message of a slot unread."""
        return slot in self._left_over

    def add(self, message: Message) -> bool:
        """Take in the message of ``next_slot``; return whether it is new (not a repetition)."""
        self.next_slot = message.slot + 1
        if message.slot < self._read_below and message.slot not in self._left_over:
            return False
        if message.kind == "closed":
            self.is_closed = True
        if message.kind in ("closed", "hole") or message.id in self._seen:
            return False
        self._seen.add(message.id)
        (self._events if self._is_event(message) else self._kept)[message.slot] = message
        return True

    @property
    def event_count(self) -> int:
        """Messages with a handler that have not been delivered."""
        return len(self._events)

    @property
    def kept_count(self) -> int:
        """Messages that nobody has taken and that no handler is called for."""
        return len(self._kept)

    @property
    def next_event(self) -> Message | None:
        """The first message that has a handler and has not been delivered."""
        return next(iter(self._events.values()), None)

    def take_event(self) -> Message:
        """Remove and return the next event."""
        return self._events.pop(next(iter(self._events)))

    def event_count_below(self, bound: int) -> int:
        """Count undelivered events in slots below a bound."""
        return sum(1 for slot in self._events if slot < bound)

    def match(self, topic: str | None) -> Message | None:
        """Return the first kept message of a topic."""
        if topic == ANY_TOPIC:
            return next(iter(self._kept.values()), None)
        return next((m for m in self._kept.values() if m.topic == topic), None)

    def kept(self, slot: int) -> Message | None:
        """Return a kept message by its slot."""
        return self._kept.get(slot)

    def take(self, slot: int) -> Message | None:
        """Remove and return a kept message by its slot."""
        return self._kept.pop(slot, None)

    def unread(self) -> list[Message]:
        """Return messages that nobody took, in order."""
        return sorted([*self._events.values(), *self._kept.values()], key=lambda message: message.slot)

    def put_back(self, message: Message) -> None:
        """Take in a message that an earlier run left unread."""
        self._seen.add(message.id)
        (self._events if self._is_event(message) else self._kept)[message.slot] = message

    def unread_slots(self) -> list[int]:
        """Return slots of messages that nobody took, in order: they follow continue-as-new."""
        return sorted([*self._events, *self._kept])
