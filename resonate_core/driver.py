"""The seam for other durable-execution APIs: a durable function that drives a foreign event loop.

A driver is a generator function marked with ``@driver``. It takes its messages itself, in recorded order, instead of
having them handed to handlers: ``yield drive.next_event(*promises)`` waits for whichever comes first, one of the
promises or the next message, and ``yield drive.messages()`` takes the messages that came together with the last event.
Both are recorded where they could have been otherwise, so replaying the driver replays what it drives.

A driver must take the messages after every event: those that come while it ends are delivered with its last event, so
that no message that was accepted is left unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from resonate_core import commands as c
from resonate_core.marks import DRIVER_ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.context import Context
    from resonate_core.scheduler.inbox import Message
    from resonate_core.scheduler.promises import Promise

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True)
class Event:
    """What ``next_event`` gives: a message, or a promise with its value or error.

    Attributes:
        message: the message, if it is one.
        index: position of the settled promise among the arguments, -1 for a message.
        value: its value.
        error: its error, not raised.
    """

    message: Message | None = None
    index: int = -1
    value: Any = None
    error: BaseException | None = None


def driver(function: F) -> F:
    """Mark a generator function as a driver: all its messages, cancellation included, come through ``Driver``."""
    setattr(function, DRIVER_ATTRIBUTE, True)
    return function


class Driver:
    """Commands that only drivers need, beside those of ``Context``."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def is_replaying(self) -> bool:
        """Whether an earlier attempt was here before: the last event was recorded, or may have been seen by it."""
        return self._context.execution.event_is_replayed

    def recorded(self, prefix: str) -> list[str]:
        """Return ids with a prefix that an earlier attempt has settled and this one has not come to yet."""
        return sorted(id for id in self._context.execution.history if id.startswith(prefix))

    def next_event(self, *promises: Promise) -> c.NextEvent:
        """Wait for the first of several promises or the next message; yields an ``Event``. The choice is recorded."""
        return c.NextEvent(self._context.next_id(), promises)

    def outside(self, begin: Callable[[Callable[[Any], None]], None]) -> c.Outside:
        """Wait for something beside the execution, such as a body on a thread of its own; yields what it gives.

        Args:
            begin: called with a function, to be called once, from any thread, with what to give. Nothing is recorded:
                it has to give the same when it is begun again after the same results.
        """
        return c.Outside(self._context.next_id(), begin)

    def messages(self) -> c.TakeMessages:
        """Take what has arrived together with the last event; yields a list, empty for the most part."""
        return c.TakeMessages(self._context.next_id())

    def follow(self, id: str) -> c.Latent:
        """Follow a promise that exists, whoever made it; yields its ``Promise``."""
        return self._context.promise(id=id)

    def post(self, id: str, message: dict[str, Any]) -> c.Post:
        """Put a message (``kind``, ``topic``, ``args``, ``kwargs``) into the inbox of an execution, once."""
        return c.Post(self._context.next_id(), id, message)

    def settle(self, id: str, *, value: Any = None, error: BaseException | None = None) -> c.Settle:
        """Settle a promise that somebody waits for; one that is settled already stays as it is."""
        return c.Settle(self._context.next_id(), id, value, error)

    def give_up(self, reason: str) -> c.GiveUp:
        """Give the execution back, to be tried again later or elsewhere: this process cannot go on with it."""
        return c.GiveUp(self._context.next_id(), reason)
