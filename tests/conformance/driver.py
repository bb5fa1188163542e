"""Systems under test: each carries out steps, and shows its state where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from resonate_core.clock import VirtualClock
from resonate_core.network.local import LocalNetwork
from resonate_core.network.local_server import LocalServer
from resonate_core.protocol.requests import Execute
from resonate_core.store.memory import MemoryStore
from resonate_core.store.sqlite import SqliteStore
from tests.conformance.invariants import Snapshot, check_state, check_step, take
from tests.conformance.steps import NOW, RETRY_MS, Ask, Attach, Tick

if TYPE_CHECKING:
    from pathlib import Path

    from resonate_core.machine.state import Outgoing
    from resonate_core.network.local_engine import Commit
    from resonate_core.protocol.requests import Message, Request, Response
    from resonate_core.store.port import Store
    from tests.conformance.steps import Case, Messages, Step


class System(Protocol):
    """What a conformance run needs of a server: one answer for each request, time on demand, and the messages."""

    def ask(self, request: Request) -> Response: ...

    def stand_at(self, now_ms: int) -> None: ...

    def tick(self) -> None: ...

    def attach(self, group: str, pid: str) -> None: ...

    def take_messages(self) -> list[tuple[str, Message]]: ...

    def snapshot(self) -> Snapshot | None: ...

    def close(self) -> None: ...


class Embedded:
    """The embedded server, inline, on either store. Nothing passes unseen: invariants hold after every step."""

    def __init__(self, store: Store, *, now_ms: int = NOW, retry_ms: int = RETRY_MS) -> None:
        self.clock = VirtualClock(now_ms)
        self.store = store
        self.server = LocalServer(store, self.clock, inline=True, retry_ms=retry_ms)
        self.received: list[tuple[str, Message]] = []
        self._emitted: list[Outgoing] = []
        self._listen()

    def _listen(self) -> None:
        """Hear every message, also those that reach nobody."""
        exchange = self.server._exchange
        dispatch = exchange.dispatch

        def heard(commit: Commit, now_ms: int) -> None:
            self._emitted += commit.outbox
            dispatch(commit, now_ms)

        exchange.dispatch = heard

    def ask(self, request: Request) -> Response:
        return self.ask_all([request])[0]

    def ask_all(self, requests: list[Request], *, atomic: bool = False) -> list[Response]:
        answers: list[Response] = []
        self.server.submit(requests, answers.extend, atomic=atomic)
        assert len(answers) == len(requests)
        self.server.pump()
        return answers

    def stand_at(self, now_ms: int) -> None:
        self.clock.advance_to(now_ms)

    def tick(self) -> None:
        self.server.run_due()
        self.server.pump()

    def attach(self, group: str, pid: str) -> None:
        network = LocalNetwork(self.server, group=group, pid=pid)
        network.start(lambda message: self.received.append((pid, message)), is_worker=True)
        self.server.pump()

    def take_messages(self) -> list[tuple[str, Message]]:
        taken, self.received = self.received, []
        return taken

    def snapshot(self) -> Snapshot:
        emitted, self._emitted = self._emitted, []
        return take(self.store, self.clock.now_ms(), emitted)

    def close(self) -> None:
        self.server.close()


def make_system(kind: str, directory: Path, *, now_ms: int = NOW) -> Embedded:
    """Build a system by its name; another server joins here."""
    store: Store = MemoryStore() if kind == "memory" else SqliteStore(directory / "store.db", synchronous="NORMAL")
    return Embedded(store, now_ms=now_ms)


def run_case(system: System, one: Case) -> None:
    """Carry out a case, checking state and transition invariants after every step."""
    for pid in one.workers:
        system.attach("g", pid)
    before = system.snapshot()
    for number, step in enumerate(one.steps):
        where = f"{one.number} step {number}: {step}"
        is_background = _carry_out(system, step, where)
        after = system.snapshot()
        if before is not None and after is not None:
            check_state(after, where)
            check_step(before, after, where, is_background=is_background)
        before = after


def _carry_out(system: System, step: Step, where: str) -> bool:
    if isinstance(step, Ask):
        if step.at is not None:
            system.stand_at(step.at)
        _compare(system.ask(step.request), step, where)
    elif isinstance(step, Tick):
        system.stand_at(step.at)
        system.tick()
        return True
    elif isinstance(step, Attach):
        system.attach(step.group, step.pid)
    else:
        _compare_messages(system, step, where)
    return False


def _compare(response: Response, step: Ask, where: str) -> None:
    assert response.status == step.status, f"{where}\n  got {response}"
    if response.status >= 400:
        assert isinstance(response.error, str), f"{where}: an error says what is wrong"
        assert response.error, where
    for path, wanted in step.want.items():
        found: Any = response
        for name in path.split("."):
            found = getattr(found, name)
        if name in ("preload", "promises", "tasks", "schedules"):
            found = [record.id for record in found]
        assert found == wanted, f"{where}\n  {path}: wanted {wanted!r}, got {found!r}"


def _compare_messages(system: System, step: Messages, where: str) -> None:
    found = sorted(
        f"execute {message.id} {message.version}" if isinstance(message, Execute) else f"unblock {message.promise.id}"
        for _, message in system.take_messages()
    )
    assert found == sorted(step.texts), f"{where}\n  got {found}"
