"""Every case, on its original and migrated: the same output and the same steps.

A case whose plan says ``told`` may differ where the report names the codes that announce it.
A case of tier ``manual`` is one that the codemod must leave alone, with a reason and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate.findings import TIERS
from tests.differential import sides
from tests.differential.plan import Case, all_cases, trace_differences, wait_differences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.differential.sides import Side

    Run = Callable[[Callable[[Case, Path], None]], None]

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
def test_temporal_program_on_the_real_server_fulfils_its_plan(case: Case, ahead: Run, temporal_address: str) -> None:
    ahead(
        lambda case, folder: check(
            case, sides.original(case, folder, temporal_address=temporal_address, sitecustomize=None)
        )
    )


@pytest.mark.slow
@pytest.mark.original
@pytest.mark.parametrize("case", DBOS, ids=lambda case: case.name)
def test_dbos_program_on_real_dbos_fulfils_its_plan(case: Case, ahead: Run, sitecustomize: Path) -> None:
    ahead(
        lambda case, folder: check(
            case, sides.original(case, folder, temporal_address=None, sitecustomize=sitecustomize)
        )
    )


def check_migrated(case: Case, folder: Path) -> None:
    side, report = sides.migrated(case, folder)
    tiers = {workflow["name"]: workflow["tier"] for workflow in report["workflows"]}
    found = "\n".join("{code} line {line}: {message}".format(**finding) for finding in report["findings"])
    assert max(tiers.values(), key=TIERS.index) == case.tier, f"{tiers}\n{found}"
    assert set(case.told) <= {finding["code"] for finding in report["findings"]}, f"a difference is not told\n{found}"
    if case.tier == "manual":
        kept = (side.folder / "program.py").read_bytes() == (case.path / "program.py").read_bytes()
        assert kept, "what a person must migrate stays as it was"
        assert [finding for finding in report["findings"] if finding["level"] == "manual" and finding["action"]]
        return
    check(case.as_told, side)


@pytest.mark.slow
@pytest.mark.parametrize("case", TEMPORAL + DBOS, ids=lambda case: f"{case.source}-{case.name}")
def test_migrated_program_on_resonate_fulfils_the_same_plan(case: Case, ahead: Run) -> None:
    ahead(check_migrated)
