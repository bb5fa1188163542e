"""Commands: what calls on ``ctx`` build and a durable function yields.

Building a command does nothing but take the next number for its id; yielding it does the work. So commands can stand
in lists, comprehensions and lambdas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from resonate_core.options import CallOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

CallKind = Literal["run", "rpc", "detached"]

DEFAULTS = CallOptions()


class Command:
    """Base of all commands. ``id`` is the durable promise that the command makes, if it makes one.

    ``position`` is the id that it has by its place in the program, also where ``options(id=...)`` chose another one.
    """

    __slots__ = ("id", "opts", "position")

    def __init__(self, id: str) -> None:
        self.id = id
        self.position = id
        self.opts = DEFAULTS

    def options(self, **changes: Any) -> Self:
        """Set options of this call and return it.

        Raises:
            UsageError: an unknown option, or a value that it cannot take.
        """
        self.opts = self.opts.merged(changes)
        if self.opts.id is not None:
            self.id = self.opts.id
        return self


class Call(Command):
    """A local, remote or detached call; ``begin`` gives the promise instead of the value."""

    __slots__ = ("args", "begin", "function", "kind", "kwargs")

    def __init__(
        self, id: str, kind: CallKind, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, begin: bool
    ) -> None:
        super().__init__(id)
        self.kind = kind
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.begin = begin


class Latent(Command):
    """A promise with no function behind it, settled from outside."""

    __slots__ = ("data",)

    def __init__(self, id: str, data: Any = None) -> None:
        super().__init__(id)
        self.data = data


class Sleep(Command):
    """A durable timer; ``begin`` gives its promise."""

    __slots__ = ("begin", "seconds")

    def __init__(self, id: str, seconds: float, *, begin: bool) -> None:
        super().__init__(id)
        self.seconds = seconds
        self.begin = begin


class Select(Command):
    """Wait for the first of several promises."""

    __slots__ = ("promises",)

    def __init__(self, id: str, promises: Sequence[Any]) -> None:
        super().__init__(id)
        self.promises = list(promises)


class Gather(Command):
    """Wait for all of several commands or promises."""

    __slots__ = ("items", "limit", "return_exceptions")

    def __init__(self, id: str, items: Sequence[Any], *, return_exceptions: bool, limit: int | None) -> None:
        super().__init__(id)
        self.items = list(items)
        self.return_exceptions = return_exceptions
        self.limit = limit


class WaitUntil(Command):
    """Wait until a predicate over the execution's state is true."""

    __slots__ = ("predicate", "timeout")

    def __init__(self, id: str, predicate: Callable[[], Any], timeout: float | None) -> None:
        super().__init__(id)
        self.predicate = predicate
        self.timeout = timeout


class Drain(Command):
    """Let the handlers of all messages that have arrived run now."""

    __slots__ = ()


class Receive(Command):
    """Take the next message of a topic."""

    __slots__ = ("timeout", "topic")

    def __init__(self, id: str, topic: str | None, timeout: float | None) -> None:
        super().__init__(id)
        self.topic = topic
        self.timeout = timeout


class NextEvent(Command):
    """Wait for one of several promises or the next message, whichever comes first."""

    __slots__ = ("promises",)

    def __init__(self, id: str, promises: Sequence[Any]) -> None:
        super().__init__(id)
        self.promises = list(promises)


class Outside(Command):
    """Wait for something that goes on beside the execution and leaves no record, such as a body on its own thread."""

    __slots__ = ("begin",)

    def __init__(self, id: str, begin: Callable[[Callable[[Any], None]], None]) -> None:
        super().__init__(id)
        self.begin = begin


class TakeMessages(Command):
    """Take the messages that came together with the last event."""

    __slots__ = ()


class Settle(Command):
    """Settle a promise that somebody else waits for."""

    __slots__ = ("error", "promise_id", "value")

    def __init__(self, id: str, promise_id: str, value: Any, error: BaseException | None) -> None:
        super().__init__(id)
        self.promise_id = promise_id
        self.value = value
        self.error = error


class GiveUp(Command):
    """Give the task back: this process cannot go on with it now."""

    __slots__ = ("reason",)

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(id)
        self.reason = reason


class Post(Command):
    """Put a message into the inbox of another execution, once."""

    __slots__ = ("destination", "message")

    def __init__(self, id: str, destination: Any, message: dict[str, Any]) -> None:
        super().__init__(id)
        self.destination = destination
        self.message = message


class Cancellation(Post):
    """Cancel a local child, or ask another execution to cancel."""

    __slots__ = ()


class SetEvent(Command):
    """Publish a value under a key."""

    __slots__ = ("key", "value")

    def __init__(self, id: str, key: str, value: Any) -> None:
        super().__init__(id)
        self.key = key
        self.value = value


class GetEvent(Command):
    """Read the newest value that another execution published."""

    __slots__ = ("key", "source", "timeout")

    def __init__(self, id: str, source: str, key: str, timeout: float | None) -> None:
        super().__init__(id)
        self.source = source
        self.key = key
        self.timeout = timeout


class Continue(Command):
    """Start over with new arguments and an empty history."""

    __slots__ = ("args", "kwargs")

    def __init__(self, id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(id)
        self.args = args
        self.kwargs = kwargs
