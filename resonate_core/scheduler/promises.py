"""Slots: what an execution knows of each promise it has made; and the handle that user code holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

SlotKind = Literal["step", "branch", "remote", "timer", "latent"]

#: Names of slots that no function made: fingerprints at replay like those of functions.
TIMER_NAME: Final = "sleep"
LATENT_NAME: Final = "promise"


class Slot:
    """One promise of an execution. ``watched`` says that only somebody else can settle it.

    ``id`` is how the execution knows it, ``promise_id`` how the server does: they differ for a child whose id may run
    again. Until it is known which run it is, ``promise_id`` is empty.
    """

    __slots__ = (
        "attempts", "branch", "close", "error", "function", "hint", "id", "is_leaf", "is_settled", "kind", "name",
        "observers", "promise_id", "retry_state", "settled_at", "stop_reason", "timeout_at", "value", "wrap",
    )  # fmt: skip

    def __init__(self, id: str, kind: SlotKind, name: str) -> None:
        self.id = id
        self.promise_id = id
        self.kind: SlotKind = kind
        self.name = name
        self.is_settled = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.settled_at = 0
        self.timeout_at = 0
        self.hint: Any = Any
        self.close = "wait"
        self.wrap = False
        self.function: Any = None
        self.branch: Any = None
        self.observers: list[Callable[[Slot], None]] | None = None
        self.is_leaf = False
        self.attempts = 0
        self.retry_state = ""
        self.stop_reason: str | None = None

    @property
    def watched(self) -> bool:
        """Whether somebody else settles it."""
        return self.kind in ("remote", "timer", "latent")

    def observe(self, observer: Callable[[Slot], None]) -> None:
        """Call back when settled; at once if it is."""
        if self.is_settled:
            observer(self)
        elif self.observers is None:
            self.observers = [observer]
        else:
            self.observers.append(observer)

    def settle(self, value: Any, error: BaseException | None, settled_at: int) -> None:
        """Take the outcome; the first one stays."""
        if self.is_settled:
            return
        self.is_settled = True
        self.value = value
        self.error = error
        self.settled_at = settled_at
        observers, self.observers = self.observers, None
        for observer in observers or ():
            observer(self)


class Promise:
    """What ``begin_run``, ``begin_rpc``, ``detached``, ``promise`` and ``begin_sleep`` give: yield it for the value.

    It may be yielded more than once, passed to local children, and put into ``select`` and ``gather``.
    """

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    @property
    def id(self) -> str:
        """The durable promise's id."""
        return self._slot.promise_id

    def __repr__(self) -> str:
        state = "settled" if self._slot.is_settled else "pending"
        return f"<Promise {self._slot.promise_id} {state}>"


def slot_of(promise: Promise) -> Slot:
    """Return what the execution knows of a promise."""
    return promise._slot  # noqa: SLF001 - the handle hides it from users, not from the scheduler
