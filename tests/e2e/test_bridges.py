"""A project of three tiers, as it comes out: one worker, one client and one set of tests for old and new workflows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "fixtures" / "engine" / "RM014" / "three_tiers"
DBOS_PROJECT = ROOT / "fixtures" / "engine" / "RM014" / "dbos_three_tiers"

DRIVE = """
import asyncio

import starter
import worker
from flows import Order


async def main() -> None:
    client = await worker.connect()
    running = asyncio.create_task(worker.main(client))
    print(await starter.pay(Order("a", 3)))
    print(await starter.approve(client, Order("b", 4)))
    print(await starter.refund(client, Order("c", 5)))
    await starter.every_day(client)
    print([one.id async for one in await client.list_schedules()])
    running.cancel()


asyncio.run(main())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The migrated project, with a program that does everything once."""
    shutil.copytree(PROJECT / "after", tmp_path / "project")
    (tmp_path / "project" / "drive.py").write_text(DRIVE)
    return tmp_path / "project"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, on a store of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))),
        "RESONATE_URL": f"sqlite:///{folder}/store.db",
    }
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_program_of_three_tiers_does_what_it_did(project: Path) -> None:
    done = run(project, "drive.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["a: 3", "b: 4", "c: -5 and c: -5", "['daily']"]


def test_activity_that_stays_is_run_by_a_rewritten_workflow(tmp_path: Path) -> None:
    case = ROOT / "fixtures" / "temporal" / "RM123" / "stays_on_the_shim" / "after"
    shutil.copytree(case, tmp_path / "project")
    done = run(tmp_path / "project", "worker.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "A in default\n"


def test_tests_of_a_project_of_three_tiers_pass_on_the_shim(project: Path) -> None:
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.fixture
def dbos_project(tmp_path: Path) -> Path:
    """The migrated DBOS project."""
    shutil.copytree(DBOS_PROJECT / "after", tmp_path / "project")
    return tmp_path / "project"


def test_dbos_program_of_three_tiers_does_what_it_did(dbos_project: Path) -> None:
    done = run(dbos_project, "main.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "hello ann",
        "6: charged tea, reported",
        "order",
        "charged pen, told",
        "['greet', 'order', 'order', 'report']",
    ]


def test_tests_of_a_dbos_project_of_three_tiers_pass_beside_the_shim(dbos_project: Path) -> None:
    done = run(dbos_project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
