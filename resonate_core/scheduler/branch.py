"""A branch: one generator of an execution, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

    from resonate_core.context import Context
    from resonate_core.scheduler.promises import Slot
    from resonate_core.scheduler.waits import Wait


class Branch:
    """A generator with its context. ``slot`` is the promise of a local child; the main branch has none."""

    __slots__ = ("cancel_reason", "context", "generator", "is_handler", "name", "reply", "shield_depth", "slot", "wait")

    def __init__(self, generator: Generator[Any, Any, Any], context: Context, name: str) -> None:
        self.generator = generator
        self.context = context
        self.name = name
        self.slot: Slot | None = None
        self.wait: Wait | None = None
        self.is_handler = False
        self.reply: str | None = None
        self.shield_depth = 0
        self.cancel_reason: str | None = None

    @property
    def must_cancel(self) -> bool:
        """Whether a cancellation is due at this yield."""
        return self.cancel_reason is not None and self.shield_depth == 0
