"""``make demo``: what a newcomer runs first does what it says, and fails when something is not as claimed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.needs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEMO = ROOT / "fixtures" / "demo"


def run(*command: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    full = {**os.environ, "DEMO_FOLDER": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", **env}
    return subprocess.run([sys.executable, *command], env=full, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_demo_migrates_kills_and_recovers_as_claimed(tmp_path: Path):
    done = run(str(DEMO / "run.py"), folder=tmp_path / "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as claimed" in done.stdout
    assert done.stdout.count("with SIGKILL") == 2
    assert done.stdout.count("no step that had ended ran again") == 2
    kept = [line for line in done.stdout.splitlines() if "not run again" in line]
    assert len(kept) == 8, "four steps of each application had ended before the kill"


CHEAT = """
import sys
sys.path.insert(0, sys.argv[1])
import stage
load = stage.App.load
def changed(source):
    app = load(source)
    {change}
    return app
stage.App.load = changed
import run
sys.exit(run.main())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", ["app.runs[0]['output'][1] = 'something else'", "app.runs[0]['steps'].pop()"], ids=["output", "steps"]
)
def test_demo_that_is_not_as_claimed_fails(change: str, tmp_path: Path):
    done = run("-c", CHEAT.format(change=change), str(DEMO), folder=tmp_path / "demo")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not as claimed" in done.stdout
