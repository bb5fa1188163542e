"""A process of the DBOS shim is killed; another one, started only to run, finishes what it had begun."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest

from tests import programs
from tests.needs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM: Final = ROOT / "fixtures" / "shim" / "dbos" / "takeover.py"


@pytest.mark.slow
def test_another_process_finishes_what_a_killed_one_ran_and_queued(tmp_path: Path) -> None:
    shutil.copy(PROGRAM, tmp_path)
    env = {"RESONATE_URL": f"sqlite:///{tmp_path / 'r.db'}", "PYTHONPATH": str(ROOT)}
    trace = tmp_path / "trace.txt"
    first = programs.start(["takeover.py", "first"], folder=tmp_path, env=env, name="first", logs=tmp_path)

    def is_held() -> bool:
        seen = trace.read_text() if trace.exists() else ""
        return "plain:held first" in seen and "queued-1:held first" in seen

    programs.wait_for(is_held, "both workflows in their held steps", seconds=30, alive=[first])
    first.kill()
    second = programs.start(["takeover.py", "second"], folder=tmp_path, env=env, name="second", logs=tmp_path)
    assert second.wait(60) == [
        str([f"{name}:before", f"{name}:held", f"{name}:after"]) for name in ("plain", "queued-1", "queued-2")
    ]
    lines = trace.read_text().splitlines()
    of_plain = [line for line in lines if line.startswith("plain")]
    assert of_plain == ["plain:before first", "plain:held first", "plain:held second", "plain:after second"]
    assert [line for line in lines if line.startswith("queued-1")] == [
        "queued-1:before first",
        "queued-1:held first",
        "queued-1:held second",
        "queued-1:after second",
    ]
    assert lines.index("queued-1:after second") < lines.index("queued-2:before second")
