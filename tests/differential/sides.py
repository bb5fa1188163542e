"""The two sides of a comparison: a program on its original, and the migrated program on our runtime."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests import programs
from tests.differential.plan import SUPPORT, Case, Run, TraceLine, read_trace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUN_SECONDS: Final = 90.0
#: What a step that was seen to start gets to become durable, before the process is killed.
SETTLE_SECONDS: Final = 0.7
#: temporalio may crash an interpreter that is shutting down (SIGABRT, SIGSEGV). All was printed by then,
#: and what was printed is compared.
CRASHES_AT_EXIT: Final = frozenset({-6, -11})
#: The Rust core of temporalio logs to standard output.
CORE_LOG: Final = "temporalio_sdk_core"


@dataclass(frozen=True)
class Seen:
    """What one run printed, and the steps that it added to the trace."""

    output: list[str]
    trace: list[TraceLine]


@dataclass(frozen=True)
class Side:
    """One side: the folder of the program, how it is started, what its environment says, where its traces go.

    ``python`` is the interpreter that runs it.
    """

    folder: Path
    case: Case
    env: Mapping[str, str]
    logs: Path
    forgiven_codes: frozenset[int] = frozenset()
    python: str = sys.executable

    @property
    def trace_file(self) -> Path:
        """Where steps write their lines."""
        return self.logs / "trace.jsonl"

    def run(self, run: Run, number: int) -> Seen:
        """Start the program once (and again if the plan kills it) and return what was seen."""
        before = len(read_trace(self.trace_file))
        worker = self._start(self.case.worker, f"worker-{number}") if self.case.worker else None
        client = self._start([*self.case.client, *run.arguments], f"client-{number}")
        try:
            if run.kill_at is not None:
                victim = self._kill(worker or client, before, run.kill_at)
                worker, client = self._again(victim, worker, client, run, number)
            programs.wait_for(client.has_ended, "end of the client", seconds=RUN_SECONDS, alive=[worker or client])
            printed = client.wait(1, forgiven_codes=self.forgiven_codes)
            output = [line for line in printed if CORE_LOG not in line]
        finally:
            client.kill()
            if worker is not None:
                worker.stop()
        return Seen(output, read_trace(self.trace_file)[before:])

    def _kill(self, victim: programs.Program, before: int, line: str) -> programs.Program:
        def reached() -> bool:
            return any(entry.text == line for entry in read_trace(self.trace_file)[before:])

        programs.wait_for(reached, f"line {line} in the trace", seconds=RUN_SECONDS, alive=[victim])
        time.sleep(SETTLE_SECONDS)
        victim.kill()
        return victim

    def _again(
        self, victim: programs.Program, worker: programs.Program | None, client: programs.Program, run: Run, number: int
    ) -> tuple[programs.Program | None, programs.Program]:
        if victim is worker:
            return self._start(self.case.worker, f"worker-{number}-again"), client
        return worker, self._start([*self.case.client, *run.arguments], f"client-{number}-again")

    def _start(self, arguments: list[str], name: str) -> programs.Program:
        return programs.start(
            arguments, folder=self.folder, env=self.env, name=name, logs=self.logs, python=self.python
        )


def original(case: Case, folder: Path, *, temporal_address: str | None, sitecustomize: Path | None) -> Side:
    """Lay out the unchanged program and say how it finds its server or database."""
    copy = _copy(case, folder)
    path = [str(part) for part in (sitecustomize, SUPPORT) if part is not None]
    env = {
        "TRACE_FILE": str(folder / "trace.jsonl"),
        "PYTHONPATH": os.pathsep.join(path),
        "DBOS_SYSTEM_DATABASE_URL": f"sqlite:///{folder / 'dbos.sqlite'}",
    }
    if temporal_address is not None:
        env["TEMPORAL_ADDRESS"] = temporal_address
    return Side(copy, case, env, folder, forgiven_codes=CRASHES_AT_EXIT)


def migrated(case: Case, folder: Path) -> tuple[Side, dict[str, Any]]:
    """Migrate a copy of the program with the command a user types; return it and the report."""
    copy = _copy(case, folder)
    report = migrate(copy, case.source)
    env = {
        "TRACE_FILE": str(folder / "trace.jsonl"),
        "PYTHONPATH": str(SUPPORT),
        "RESONATE_URL": f"sqlite:///{folder / 'resonate.db'}",
    }
    return Side(copy, case, env, folder), report


def migrate(folder: Path, source: str) -> dict[str, Any]:
    """Run ``resonate-migrate`` on a folder and return its report; anything but success fails."""
    command = [sys.executable, "-m", "migrate", ".", "--from", source, "--allow-dirty", "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"resonate-migrate ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _copy(case: Case, folder: Path) -> Path:
    copy = folder / case.name
    shutil.copytree(case.path, copy, ignore=shutil.ignore_patterns("plan.toml", "__pycache__"))
    return copy
