"""The worker of the Temporal shim is killed at an activation, for every activation: the same result as without.

A few of them here; ``SWEEP=1`` goes on until a worker gets to the end without being killed.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from tests import programs
from tests.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PROGRAM: Final = ROOT / "fixtures" / "shim" / "crash" / "activations.py"
EXPECTED: Final = [
    "WorkflowUpdateFailedError",
    "noted fragile",
    "['reserved first', 'paid a', 'paid b', 'paid c', 'fragile']",
]
SOME: Final = (1, 3, 6, 9)
MOST: Final = 40
AT_ONCE: Final = 4
SECONDS: Final = 30.0


def is_killed(folder: Path, number: int, when: str) -> bool:
    """Run everything with a worker that dies at its n-th activation and one that follows; say whether it died."""
    folder.mkdir()
    shutil.copy(PROGRAM, folder)
    env = {"RESONATE_URL": f"sqlite:///{folder / 'r.db'}", "PYTHONPATH": str(ROOT)}

    def start(name: str, *arguments: str) -> programs.Program:
        return programs.start([PROGRAM.name, *arguments], folder=folder, env=env, name=name, logs=folder)

    first = start("first", "work", str(number), when)
    driver = start("driver", "drive")
    second = None
    try:
        programs.wait_for(lambda: first.has_ended() or driver.has_ended(), "end of either", seconds=SECONDS)
        died = first.has_ended()
        if died:
            second = start("second", "work", "0", when)
        found = driver.wait(SECONDS)
    finally:
        for program in (first, driver, second):
            if program is not None:
                program.kill()
    assert found == EXPECTED, f"killed {when} activation {number}"
    return died


def died(folder: Path, numbers: Iterable[int]) -> list[bool]:
    """Kill at each of several activations, before and after it, a few at once; say for each whether it came so far."""
    kills = [(number, when) for when in ("before", "after") for number in numbers]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda kill: is_killed(folder / f"{kill[1]}-{kill[0]}", *kill), kills))


@pytest.mark.slow
def test_worker_killed_at_an_activation_loses_nothing(tmp_path: Path) -> None:
    assert all(died(tmp_path, SOME))


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("SWEEP"), reason="SWEEP=1 kills at every activation; a few are always tried")
def test_worker_killed_at_every_activation_loses_nothing(tmp_path: Path) -> None:
    found = died(tmp_path, range(1, MOST))
    print(f"killed {sum(found)} times")
    assert sum(found) >= 2 * max(SOME)
    assert not found[MOST - 2], f"there are more activations than {MOST}"
