"""A stage: several clients on one store, one thread, one virtual clock; whoever waits drives all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resonate_core.clock import VirtualClock
from resonate_core.network.local_server import LocalServer
from resonate_core.store.memory import MemoryStore

if TYPE_CHECKING:
    from resonate_core.client.engine import Engine


class Stage:
    """Takes turns in a fixed order, so that the same program does the same every time.

    Args:
        now_ms: where the clock stands at first.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.clock = VirtualClock(now_ms)
        self.server = LocalServer(MemoryStore(), self.clock, inline=True)
        self.engines: list[Engine] = []
        self._is_turning = False

    def turn(self) -> bool:
        """Let everybody do what can be done now, once; return whether anything was."""
        if self._is_turning:
            return False  # a step that calls its own client: the turn that runs it goes on
        self._is_turning = True
        try:
            return self._turn()
        finally:
            self._is_turning = False

    def _turn(self) -> bool:
        is_busy = self.server.run_due() > 0
        is_busy |= self.server.pump() > 0
        for engine in list(self.engines):
            is_busy |= engine.turn()
        return is_busy

    def settle(self) -> None:
        """Do everything that can be done without time passing."""
        while self.turn():
            pass

    def next_due_ms(self) -> int | None:
        """Return the instant at which something happens next, None if nothing ever will."""
        instants = [self.server.next_due_ms()]
        now_ms = self.clock.now_ms()
        for engine in self.engines:
            wait_ms = engine.next_due_ms()
            instants.append(None if wait_ms is None else now_ms + wait_ms)
        return min((instant for instant in instants if instant is not None), default=None)

    def advance_to(self, instant_ms: int) -> None:
        """Let time pass, stopping at everything that is due on the way."""
        self.settle()
        while (due_ms := self.next_due_ms()) is not None and due_ms <= instant_ms:
            self.clock.advance_to(max(due_ms, self.clock.now_ms()))
            self.settle()
        self.clock.advance_to(max(instant_ms, self.clock.now_ms()))
        self.settle()

    def jump(self) -> bool:
        """Go to the next instant at which something happens; return whether there is one."""
        due_ms = self.next_due_ms()
        if due_ms is None:
            return False
        self.clock.advance_to(max(due_ms, self.clock.now_ms()))
        return True
