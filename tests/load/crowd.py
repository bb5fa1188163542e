"""A crowd of executions on one server and some workers, of which one is killed every few seconds.

The workers' steps leave lines in a side file. What a step was given shows which record of the step before was seen, so
a step that was *recorded* twice cannot hide behind one that merely *ran* twice, which a killed worker's step may.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resonate_core import Resonate
from resonate_core.errors import ProtocolError
from tests import programs
from tests.load import servers
from tests.load.worker import STEP_COUNT
from tests.needs import ROOT

if TYPE_CHECKING:
    from resonate_core import Handle
    from resonate_core.protocol.records import PromiseRecord

HERE = Path(__file__).parent
GROUP = "load"
STARTERS = 8


@dataclass(frozen=True)
class Plan:
    """How much, and what happens to it; ``url`` names a store that is there already and is not restarted."""

    executions: int
    workers: int = 4
    kill_every_s: float = 3.0
    restart_after: float = 0.4
    seconds: float = 1_800.0
    seed: int = 1
    url: str | None = None


@dataclass(frozen=True)
class Figures:
    """What came of it."""

    seconds: float
    executions: int
    worker_kills: int
    server_restarts: int
    ran_again: int
    longest_pause_s: float

    def __str__(self) -> str:
        steps = self.executions * STEP_COUNT
        return (
            f"{self.executions} executions of {STEP_COUNT} steps in {self.seconds:.1f} s "
            f"({self.executions / self.seconds:.0f} executions/s, {steps / self.seconds:.0f} steps/s); "
            f"workers killed: {self.worker_kills}, server restarts: {self.server_restarts}, all finished; "
            f"steps recorded twice: 0, run again: {self.ran_again} of {steps}, "
            f"longest time without a step: {self.longest_pause_s:.1f} s"
        )


class Crowd:
    """The processes of one run."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._chances = random.Random(plan.seed)
        self._port = servers.free_port()
        self._count = 0
        self.url = plan.url or f"http://127.0.0.1:{self._port}"
        self.side_file = folder / "side"
        self.kills = 0
        self.restarts = 0
        self._server = None if plan.url is not None else self._start_server()
        self._workers = [self._start_worker() for _ in range(plan.workers)]

    def _launch(self, what: str, command: list[str]) -> programs.Program:
        self._count += 1
        env = {"PYTHONPATH": str(ROOT)}
        return programs.launch(command, folder=self._folder, env=env, name=f"{what}{self._count}", logs=self._folder)

    def _start_server(self) -> programs.Program:
        server = self._launch("server", servers.command(self._port))
        programs.wait_for(lambda: servers.is_up(self.url), "server", seconds=30, alive=[server])
        return server

    def _start_worker(self) -> programs.Program:
        return self._launch("worker", [sys.executable, str(HERE / "worker.py"), self.url, GROUP])

    def kill_a_worker(self) -> None:
        """Kill one as a power cut would, and put another in its place."""
        number = self._chances.randrange(len(self._workers))
        self._workers[number].kill()
        self._workers[number] = self._start_worker()
        self.kills += 1

    def check_alive(self) -> None:
        """Fail if a worker ended by itself."""
        for worker in self._workers:
            if worker.has_ended():
                worker.wait(1)
                raise AssertionError(f"a worker stopped\n{worker.said()}")

    def restart_server(self) -> None:
        """Kill the server, and start it again on its file."""
        if self._server is not None:
            self._server.kill()
            self._server = self._start_server()
            self.restarts += 1

    def end(self) -> None:
        for program in (*self._workers, self._server):
            if program is not None:
                program.kill()


class Progress:
    """How many steps have run, told by the side file, and the longest time in which none did."""

    def __init__(self, side_file: Path) -> None:
        self._file = side_file
        self._offset = 0
        self._last = time.monotonic()
        self.steps = 0
        self.longest_pause_s = 0.0

    def look(self) -> None:
        """Count the lines that have come."""
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        if not new:
            return
        now = time.monotonic()
        if self.steps:
            self.longest_pause_s = max(self.longest_pause_s, now - self._last)
        self._last = now
        self._offset += len(new)
        self.steps += new.count(b"\n")


class Results:
    """Tokens by execution, or why there are none."""

    def __init__(self) -> None:
        self.tokens: dict[str, list[str]] = {}
        self.errors: dict[str, BaseException] = {}

    def take(self, handle: Handle[list[str]], seconds: float) -> None:
        """Wait for a result."""
        try:
            self.tokens[handle.id] = handle.result(timeout=seconds)
        except Exception as error:
            self.errors[handle.id] = error

    @property
    def count(self) -> int:
        return len(self.tokens) + len(self.errors)


def run(plan: Plan, folder: Path) -> Figures:
    """Carry out a plan; fails if an execution does not end, or a step is recorded twice."""
    with ExitStack() as stack:
        crowd = Crowd(plan, folder)
        stack.callback(crowd.end)
        client = Resonate(crowd.url, group="starters")
        stack.callback(client.stop)
        results = Results()
        began = time.monotonic()
        starters = [
            threading.Thread(target=_start_some, args=(client, plan, crowd, n, results)) for n in range(STARTERS)
        ]
        for starter in starters:
            starter.start()
        progress = Progress(crowd.side_file)
        _disturb(plan, crowd, progress, results)
        for starter in starters:
            starter.join()
        seconds = time.monotonic() - began
        assert not results.errors, next(iter(results.errors.items()))
        recorded = _recorded(client, list(results.tokens))
    ran = _lines(crowd.side_file)
    _compare(results.tokens, recorded, ran)
    lines = sum(len(found) for found in ran.values())
    return Figures(
        seconds=seconds,
        executions=plan.executions,
        worker_kills=crowd.kills,
        server_restarts=crowd.restarts,
        ran_again=lines - plan.executions * STEP_COUNT,
        longest_pause_s=progress.longest_pause_s,
    )


def _start_some(client: Resonate, plan: Plan, crowd: Crowd, first: int, results: Results) -> None:
    """Start every eighth execution; then wait for each."""
    starter = client.options(target=GROUP)
    ids = [f"load-{number}" for number in range(first, plan.executions, STARTERS)]
    handles = [starter.begin_rpc(id, "five", str(crowd.side_file)) for id in ids]
    for handle in handles:
        results.take(handle, plan.seconds)


def _disturb(plan: Plan, crowd: Crowd, progress: Progress, results: Results) -> None:
    """Kill workers until everything has ended, and the server once."""
    ends = time.monotonic() + plan.seconds
    next_kill = time.monotonic() + plan.kill_every_s
    while results.count < plan.executions:
        assert time.monotonic() < ends, f"{results.count} of {plan.executions} ended within {plan.seconds} s"
        progress.look()
        crowd.check_alive()
        if not crowd.restarts and progress.steps >= plan.executions * STEP_COUNT * plan.restart_after:
            crowd.restart_server()
        if time.monotonic() >= next_kill:
            crowd.kill_a_worker()
            next_kill = time.monotonic() + plan.kill_every_s
        time.sleep(0.05)


# -- evidence --------------------------------------------------------------------------------------------------------

Step = tuple[str, int]


def _recorded(client: Resonate, executions: list[str]) -> dict[Step, str]:
    """Return the token that each step's promise holds, and only steps that have one."""
    codec = client._engine.env.codec
    return {
        (execution, int(number) - 1): codec.decode_value(record.value)
        for record in _records(client, executions)
        for execution, _, number in [record.id.rpartition(".")]
    }


def _records(client: Resonate, executions: list[str]) -> list[PromiseRecord]:
    try:
        return [record for record in client.promises.search(tags={"resonate:scope": "local"}) if _is_step(record.id)]
    except ProtocolError:  # this server cannot search
        ids = [f"{execution}.{number + 1}" for execution in executions for number in range(STEP_COUNT)]
        return [client.promises.get(id) for id in ids]


def _is_step(id: str) -> bool:
    return id.count(".") == 1


def _lines(side_file: Path) -> dict[Step, list[tuple[str, str]]]:
    """Return (given, gave) of every run of every step."""
    found: dict[Step, list[tuple[str, str]]] = defaultdict(list)
    for line in side_file.read_text().splitlines():
        execution, number, given, gave = line.split(" ")
        found[execution, int(number)].append((given, gave))
    return found


def _compare(results: dict[str, list[str]], recorded: dict[Step, str], ran: dict[Step, list[tuple[str, str]]]) -> None:
    """Hold that each step was recorded once: every look at it, whenever, saw the same token."""
    assert len(recorded) == len(results) * STEP_COUNT
    for execution, tokens in results.items():
        before = "start"
        for number, token in enumerate(tokens):
            runs = ran[execution, number]
            assert recorded[execution, number] == token, f"{execution} step {number}: the result has another token"
            assert token in [gave for _, gave in runs], f"{execution} step {number} was recorded and never ran"
            assert {given for given, _ in runs} == {before}, f"{execution} step {number - 1} was recorded twice"
            before = token
