"""Seeded simulation: durable programs on several workers over bad lines, killed and paused, in virtual time.

The same seed gives the same log, line by line. What must hold is checked by whoever runs it: results, and what steps
and messages have left behind.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from resonate_core.client.settings import Settings
from resonate_core.errors import ResonateCoreError, TransportError
from resonate_core.network.local import LocalNetwork
from resonate_core.registry import describe
from resonate_core.testing.faults import Faults, FaultyNetwork
from resonate_core.testing.stage import Stage
from resonate_core.testing.virtual import InlineEngine, VirtualResonate

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.network.port import Network

#: Turns after which a simulation counts as never ending.
TURNS_MAX = 200_000
#: How many turns a delayed call waits at the most.
DELAY_TURNS_MAX = 20


class SimulationError(ResonateCoreError):
    """A simulation did not end; the text has the seed and the end of the log."""


class _FaultyEngine(InlineEngine):
    """A worker that may be paused or dead."""

    def __init__(self, settings: Settings, simulation: Simulation) -> None:
        self._simulation = simulation
        self.paused_until_ms = 0
        self.line: FaultyNetwork | None = None
        super().__init__(settings, simulation.stage)

    def _open_network(self) -> Network:
        simulation = self._simulation
        inner = LocalNetwork(self.stage.server, group=self.settings.group, pid=self.settings.pid or "")
        self.line = FaultyNetwork(
            inner, simulation.random, simulation.faults, later=simulation.later, note=simulation.note
        )
        return self.line

    def turn(self) -> bool:
        if self.stage.clock.now_ms() < self.paused_until_ms:
            return False
        return super().turn()

    def next_due_ms(self) -> int | None:
        pause_ms = self.paused_until_ms - self.stage.clock.now_ms()
        return pause_ms if pause_ms > 0 else super().next_due_ms()


class Simulation:
    """One run.

    Args:
        seed: decides everything.
        things: what the workers register.
        workers: how many there are at any time.
        faults: what goes wrong, and how often.
        ttl: lease of a task, seconds.
    """

    def __init__(self, seed: int, *things: Any, workers: int = 3, faults: Faults | None = None, ttl: float = 5) -> None:
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.faults = Faults() if faults is None else faults
        self.stage = Stage()
        self.log: list[str] = []
        self.client = VirtualResonate(self.stage, pid="client")
        self._things = things
        self._ttl_ms = round(ttl * 1000)
        self._made = 0
        self._turns = 0
        self._delayed: list[tuple[int, Callable[[], None]]] = []
        for _ in range(workers):
            self._start_worker()

    def note(self, line: str) -> None:
        """Write a line of the log."""
        self.log.append(f"{self.stage.clock.now_ms()} {line}")

    def later(self, call: Callable[[], None]) -> None:
        """Put a call off by some turns."""
        self._delayed.append((self._turns + self.random.randint(1, DELAY_TURNS_MAX), call))

    def start(self, id: str, function: Any, *args: Any) -> None:
        """Start an execution; what is lost is sent again."""
        while True:
            try:
                self.client.begin_rpc(id, function, *args)
            except TransportError:
                continue
            return

    def run(self) -> None:
        """Let everything happen until all executions have ended.

        Raises:
            SimulationError: they do not end.
        """
        while self._is_open():
            self._turns += 1
            if self._turns > TURNS_MAX:
                tail = "\n".join(self.log[-40:])
                raise SimulationError(f"seed {self.seed} does not end; the last lines are:\n{tail}")
            self._misfortune()
            self._release_delayed()
            if not self.stage.turn() and not self._delayed:
                self.stage.jump()

    def _is_open(self) -> bool:
        return any(description.state == "pending" for description in self.client.list())

    def _misfortune(self) -> None:
        workers = [engine for engine in self.stage.engines if isinstance(engine, _FaultyEngine)]
        if self.random.random() < self.faults.kill:
            self._kill(self.random.choice(workers))
        elif self.random.random() < self.faults.pause:
            paused = self.random.choice(workers)
            paused.paused_until_ms = self.stage.clock.now_ms() + self._ttl_ms * 2
            self.note(f"{paused.settings.pid} paused")

    def _kill(self, engine: _FaultyEngine) -> None:
        self.note(f"{engine.settings.pid} killed")
        self.stage.engines.remove(engine)
        if engine.line is not None:
            engine.line.die()
        self._start_worker()

    def _start_worker(self) -> None:
        self._made += 1
        settings = Settings(
            url="memory:", pid=f"worker{self._made}", ttl_ms=self._ttl_ms, clock=self.stage.clock, on_mismatch="fail"
        )
        engine = _FaultyEngine(settings, self)
        for thing in self._things:
            engine.registry.add(describe(thing))
        engine.start()

    def _release_delayed(self) -> None:
        due = [call for turn, call in self._delayed if turn <= self._turns]
        self._delayed = [entry for entry in self._delayed if entry[0] > self._turns]
        for call in due:
            call()
