"""Every case, on its original and migrated: the same output and the same steps.

A case of tier ``manual`` is one that the codemod must leave alone, with a reason and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate.findings import TIERS
from tests.differential import sides
from tests.differential.plan import Case, all_cases, trace_differences, wait_differences

if TYPE_CHECKING:
    from pathlib import Path

    from tests.differential.sides import Side

TEMPORAL = all_cases("temporal")
DBOS = all_cases("dbos")


def check(case: Case, side: Side) -> None:
    for number, run in enumerate(case.runs):
        seen = side.run(run, number)
        differences = trace_differences(run.steps, seen.trace) + wait_differences(run.waits, seen.trace)
        if seen.output != run.output:
            differences.append(f"output: expected {run.output}, found {seen.output}")
        assert not differences, f"run {number} of {case.name} ({case.claim})\n" + "\n".join(differences)


@pytest.mark.slow
@pytest.mark.original
@pytest.mark.parametrize("case", TEMPORAL, ids=lambda case: case.name)
def test_temporal_program_on_the_real_server_fulfils_its_plan(
    case: Case, tmp_path: Path, temporal_address: str
) -> None:
    check(case, sides.original(case, tmp_path, temporal_address=temporal_address, sitecustomize=None))


@pytest.mark.slow
@pytest.mark.original
@pytest.mark.parametrize("case", DBOS, ids=lambda case: case.name)
def test_dbos_program_on_real_dbos_fulfils_its_plan(case: Case, tmp_path: Path, sitecustomize: Path) -> None:
    check(case, sides.original(case, tmp_path, temporal_address=None, sitecustomize=sitecustomize))


@pytest.mark.slow
@pytest.mark.parametrize("case", TEMPORAL + DBOS, ids=lambda case: f"{case.source}-{case.name}")
def test_migrated_program_on_resonate_fulfils_the_same_plan(case: Case, tmp_path: Path) -> None:
    side, report = sides.migrated(case, tmp_path)
    tiers = {workflow["name"]: workflow["tier"] for workflow in report["workflows"]}
    found = "\n".join("{code} line {line}: {message}".format(**finding) for finding in report["findings"])
    assert max(tiers.values(), key=TIERS.index) == case.tier, f"{tiers}\n{found}"
    if case.tier == "manual":
        kept = (side.folder / "program.py").read_bytes() == (case.path / "program.py").read_bytes()
        assert kept, "what a person must migrate stays as it was"
        assert [finding for finding in report["findings"] if finding["level"] == "manual" and finding["action"]]
        return
    check(case, side)
