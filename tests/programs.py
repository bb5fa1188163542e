"""Programs in processes of their own: start, read, kill and end them, each by its pid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: How often a file is looked at while a test waits for another process.
LOOK_SECONDS: Final = 0.05
STOP_SECONDS: Final = 10.0


@dataclass
class Program:
    """A Python program that runs in a folder, with what it printed in two files beside it."""

    process: subprocess.Popen[bytes]
    output_file: Path
    log_file: Path

    def output(self) -> list[str]:
        """Return the lines printed so far."""
        return self.output_file.read_text().splitlines()

    def has_ended(self) -> bool:
        """Say whether the process is gone."""
        return self.process.poll() is not None

    def wait(self, seconds: float, *, forgiven_codes: frozenset[int] = frozenset()) -> list[str]:
        """Wait for the end and return the printed lines; a failure or a hang carries the log."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self._name()} did not end within {seconds:.0f} s\n{self.said()}") from None
        if code != 0 and code not in forgiven_codes:
            raise RuntimeError(f"{self._name()} ended with {code}\n{self.said()}")
        return self.output()

    def kill(self) -> None:
        """End the process as a power cut would: no handler, no clean-up."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask the process to end, and end it if it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def _name(self) -> str:
        return " ".join(Path(str(part)).name for part in self.process.args)  # type: ignore[union-attr]

    def said(self) -> str:
        return f"--- output\n{self.output_file.read_text()}--- log\n{self.log_file.read_text()[-6000:]}"


def start(
    arguments: Sequence[str], *, folder: Path, env: Mapping[str, str], name: str, logs: Path,
    python: str = sys.executable,
) -> Program:  # fmt: skip
    """Start a Python program; ``name`` names its output and log file in ``logs``."""
    full = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", **env}
    return launch([python, *arguments], folder=folder, env=full, name=name, logs=logs)


def launch(command: Sequence[str], *, folder: Path, env: Mapping[str, str], name: str, logs: Path) -> Program:
    """Start any program; ``name`` names its output and log file in ``logs``."""
    output_file, log_file = logs / f"{name}.out", logs / f"{name}.log"
    with output_file.open("wb") as output, log_file.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **env}, stdout=output, stderr=log)
    return Program(process, output_file, log_file)


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float, alive: Sequence[Program] = ()) -> None:
    """Look until something another process does is there; give up early when one of ``alive`` has failed."""
    deadline = time.monotonic() + seconds
    while not condition():
        for program in alive:
            if program.has_ended():
                program.wait(1)
        if time.monotonic() > deadline:
            said = "\n".join(program.said() for program in alive)
            raise TimeoutError(f"no {what} within {seconds:.0f} s\n{said}")
        time.sleep(LOOK_SECONDS)
