"""Power cuts of the server and of its workers: every execution ends, with the right result, no step missing."""

from __future__ import annotations

import random
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from resonate_core import Resonate
from tests import programs

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 40
EXECUTIONS = 8
CUTS = 8
HERE = Path(__file__).parent / "serve_crash"
STEPS = {"step 0", "step 1", "step 2", "named", "plain", "end"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Place:
    """A server and two workers, each replaced as soon as it is killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        serve = ["-c", "from resonate_core.cli import main; main()", "serve", "--db", "s.db", "--port", str(port)]
        worker = [str(HERE / "worker.py"), self.url, "crash"]
        self._starts: list[Callable[[], programs.Program]] = [
            lambda: self._start(serve),
            lambda: self._start(worker),
            lambda: self._start(worker),
        ]
        self._running = [start() for start in self._starts]

    def _start(self, arguments: list[str]) -> programs.Program:
        self._count += 1
        return programs.start(arguments, folder=self._folder, env={}, name=f"p{self._count}", logs=self._folder)

    def cut(self, number: int) -> None:
        self._running[number].kill()
        self._running[number] = self._starts[number]()

    def end(self) -> None:
        for program in reversed(self._running):
            program.kill()


@pytest.mark.slow
def test_server_and_workers_killed_in_turn_finish_every_execution(tmp_path):
    chances = random.Random(3)
    with ExitStack() as stack:
        place = Place(tmp_path)
        stack.callback(place.end)
        client = Resonate(place.url, group="clients")
        stack.callback(client.stop)
        starter = client.options(target="crash")
        paths = [tmp_path / f"marks-{number}" for number in range(EXECUTIONS)]
        handles = [starter.begin_rpc(f"e{number}", "tree", str(path)) for number, path in enumerate(paths)]
        for number in range(CUTS):
            time.sleep(chances.uniform(0.2, 0.7))
            place.cut(chances.choice((0, 0, 1, 2)))
            client.send(f"e{number}", 1, "go", idempotency_key=f"go-{number}")
        assert [handle.result(timeout=SECONDS) for handle in handles] == [6] * EXECUTIONS
    for path in paths:
        assert set(path.read_text().splitlines()) == STEPS
