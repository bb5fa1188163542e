"""Migrated code passes type checkers in their default settings, and wrong arguments of a step do not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.needs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MISTAKES = """\
from collections.abc import Generator
from typing import Any

from resonate_core import Context, durable, step


@step()
def charge(order: str, amount: int) -> str:
    return f"{order}:{amount}"


@durable()
def checkout(ctx: Context, order: str) -> Generator[Any, Any, str]:
    receipt = yield ctx.run(charge, order, 3)
    yield ctx.run(charge, order, "three")  # line 15
    yield ctx.begin_run(charge, order)  # line 16
    return receipt
"""


def mypy(directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(directory / ".cache"), "."]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


def pyright(directory: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("node") is None:
        pytest.skip("pyright needs node, which is not a part of a Python installation")
    (directory / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT)]}))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "."]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.fixture(params=["temporal", "dbos"])
def migrated(request, tmp_path):
    project = tmp_path / request.param
    shutil.copytree(ROOT / "fixtures" / "demo" / request.param, project)
    command = [sys.executable, "-m", "migrate", str(project), "--from", request.param]
    subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return project


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_migrated_programs_pass_type_checkers(migrated, checker):
    done = checker(migrated)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_wrong_arguments_of_a_step_are_found(tmp_path, checker):
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    lines = [line for line in checker(tmp_path).stdout.splitlines() if "error" in line]
    places = {int(line.split("mistakes.py:")[1].split(":")[0]) for line in lines if "mistakes.py:" in line}
    assert places == {15, 16}
