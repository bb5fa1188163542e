"""SIGKILL at every commit of a workload: what was recorded stays, what was not is done again, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from resonate_core import Resonate

PROGRAM = Path(__file__).parent / "crash" / "program.py"
#: The workload commits about this often; each number is a run of its own.
COMMITS = range(1, 41, 3) if "CI" not in os.environ else range(1, 41)


def run(directory: Path, when: str, number: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), str(directory / "r.db"), str(directory / "trace"), when, str(number)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def recorded(directory: Path) -> dict[str, str]:
    """Return what the file says each step gave."""
    client = Resonate(f"sqlite:///{directory / 'r.db'}")
    env = client._engine.env
    found = {
        record.id: env.codec.decode_value(record.value)
        for record in client.promises.search(state="resolved")
        if env.recorded_name(record) == "charge"
    }
    client.stop()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", COMMITS)
def test_kill_at_a_commit_then_another_process_finishes(tmp_path, when, number):
    print(f"python {PROGRAM.name} r.db trace {when} {number}")
    first = run(tmp_path, when, number)
    before = recorded(tmp_path) if (tmp_path / "r.db").exists() else {}
    second = run(tmp_path, "never", 0)
    assert second.returncode == 0, second.stderr
    assert second.stdout == "6 [0, 1, 2]\n"
    after = recorded(tmp_path)
    assert len(after) == 6
    assert {key: after[key] for key in before} == before, "a recorded result has changed"
    ran = Counter((tmp_path / "trace").read_text().split())
    assert set(ran) == {f"order/{index}" for index in (0, 1, 10, 11, 12, 100)}
    assert sum(ran.values()) <= 6 + 4, "only what was not recorded at the kill may run again"
    assert first.returncode in (0, -9), first.stderr
