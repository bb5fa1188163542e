"""Every DBOS case, unchanged, with the shim in dbos's place: it fulfils the plan that real DBOS fulfils."""

from __future__ import annotations

import dataclasses
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.differential.plan import SUPPORT, Case, all_cases
from tests.differential.sides import Side
from tests.differential.test_cases import check
from tests.needs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CASES = all_cases("dbos")
RUNNER = ["-m", "compat.dbos"]


def shimmed(case: Case, folder: Path) -> Side:
    """Copy a program and start it through ``python -m compat.dbos``."""
    copy = folder / case.name
    shutil.copytree(case.path, copy, ignore=shutil.ignore_patterns("plan.toml", "__pycache__"))
    worker = [*RUNNER, *case.worker] if case.worker else case.worker
    started = dataclasses.replace(case, worker=worker, client=[*RUNNER, *case.client])
    env = {
        "TRACE_FILE": str(folder / "trace.jsonl"),
        "PYTHONPATH": os.pathsep.join((str(SUPPORT), str(ROOT))),
        "RESONATE_URL": f"sqlite:///{folder / 'resonate.db'}",
    }
    return Side(copy, started, env, folder)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_dbos_program_on_the_shim_fulfils_the_same_plan(case: Case, tmp_path: Path) -> None:
    check(case, shimmed(case, tmp_path))
