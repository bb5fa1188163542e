"""Every Temporal case with nothing but its imports changed: on the shim it fulfils the plan of the real server."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.differential.plan import SUPPORT, Case, all_cases
from tests.differential.sides import Side
from tests.differential.test_cases import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.differential.test_cases import Run

CASES = all_cases("temporal")
IMPORTED = re.compile(r"\btemporalio\b")


def shimmed(case: Case, folder: Path) -> Side:
    """Copy a program and point its imports at the shim."""
    copy = folder / case.name
    shutil.copytree(case.path, copy, ignore=shutil.ignore_patterns("plan.toml", "__pycache__"))
    for source in copy.rglob("*.py"):
        source.write_text(IMPORTED.sub("compat.temporal", source.read_text()))
    env = {
        "TRACE_FILE": str(folder / "trace.jsonl"),
        "PYTHONPATH": str(SUPPORT),
        "RESONATE_URL": f"sqlite:///{folder / 'resonate.db'}",
    }
    return Side(copy, case, env, folder)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_temporal_program_on_the_shim_fulfils_the_same_plan(case: Case, ahead: Run) -> None:
    ahead(lambda case, folder: check(case, shimmed(case, folder)))
