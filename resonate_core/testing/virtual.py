"""``VirtualResonate``: the program's own code on virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from resonate_core.client.engine import Engine
from resonate_core.client.resonate import Resonate
from resonate_core.client.settings import Settings
from resonate_core.errors import ResonateCoreError
from resonate_core.network.local import LocalNetwork
from resonate_core.options import CallOptions
from resonate_core.scheduler.durations import seconds
from resonate_core.testing.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from datetime import timedelta

    from resonate_core.codec import Encryptor
    from resonate_core.network.port import Network

T = TypeVar("T")


class StuckError(ResonateCoreError):
    """Nothing is due any more, and what is waited for has not come."""


class InlineEngine(Engine):
    """An engine whose waiting callers drive a stage."""

    is_inline = True

    def __init__(self, settings: Settings, stage: Stage) -> None:
        super().__init__(settings)
        self.stage = stage
        stage.engines.append(self)

    def _open_network(self) -> Network:
        pid = self.settings.pid or f"virtual{len(self.stage.engines)}"
        return LocalNetwork(self.stage.server, group=self.settings.group, pid=pid)

    def turn(self) -> bool:
        """Take this engine's turn."""
        if not self.is_open or self.is_stopped:
            return False
        is_busy = self.worker.run_pending()
        return self.runner.run_due() > 0 or is_busy

    def next_due_ms(self) -> int | None:
        """Return milliseconds until this engine has something to do."""
        if not self.is_open or self.is_stopped:
            return None
        waits = [self.worker.next_due_ms(), self.runner.next_due_ms()]
        return min((wait for wait in waits if wait is not None), default=None)

    def wait(self, future: Future[T], timeout: float | None = None) -> T:
        """Run the program until the future is done, however much virtual time that takes.

        Raises:
            TimeoutError: it is not done within ``timeout`` virtual seconds.
            StuckError: it never will be.
        """
        stage = self.stage
        end_ms = None if timeout is None else stage.clock.now_ms() + round(timeout * 1000)
        while not future.done():
            if stage.turn():
                continue
            due_ms = stage.next_due_ms()
            if end_ms is not None and (due_ms is None or due_ms > end_ms):
                stage.clock.advance_to(max(end_ms, stage.clock.now_ms()))
                raise TimeoutError(f"no result within {timeout} s of virtual time; it goes on, ask again")
            if not stage.jump():
                raise StuckError(
                    "nothing is due any more and the result is not there; who should have sent or resolved it?"
                )
        return future.result()

    async def awaited(self, future: Future[T], timeout: float | None = None) -> T:
        """Do the same for async callers."""
        return self.wait(future, timeout)


class VirtualResonate(Resonate):
    """A ``Resonate`` on virtual time and in one thread; everything else is the real thing.

    Args:
        stage: to share with other clients: their store, their clock. A new one if left out.
        group: of this client.
        pid: its name.
        ttl: lease of its tasks.
        on_mismatch: see ``Resonate``; here an execution that its code does not fit fails by default.
        dependencies: what ``ctx.get_dependency(name)`` finds.
        encryptor: seals everything that is stored.
    """

    def __init__(
        self,
        stage: Stage | None = None,
        *,
        group: str = "default",
        pid: str | None = None,
        ttl: float = 10,
        on_mismatch: Literal["wait", "fail"] = "fail",
        dependencies: Mapping[str, Any] | None = None,
        encryptor: Encryptor | None = None,
    ) -> None:
        self.stage = stage or Stage()
        settings = Settings(
            url="memory:",
            group=group,
            pid=pid,
            ttl_ms=round(ttl * 1000),
            clock=self.stage.clock,
            on_mismatch=on_mismatch,
            dependencies=dict(dependencies or {}),
            encryptor=encryptor,
        )
        self._engine = InlineEngine(settings, self.stage)
        self._options = CallOptions()

    def now(self) -> float:
        """Return the virtual time, seconds since the epoch."""
        return self.stage.clock.now_ms() / 1000

    def advance(self, duration: float | timedelta) -> None:
        """Let virtual time pass; everything that is due on the way happens."""
        self.stage.advance_to(self.stage.clock.now_ms() + round(seconds(duration, "advance") * 1000))

    def step(self) -> bool:
        """Take one turn of everybody on the stage, without time passing; return whether anything was done."""
        return self.stage.turn()

    def settle(self) -> None:
        """Do everything that can be done without time passing."""
        self.stage.settle()
