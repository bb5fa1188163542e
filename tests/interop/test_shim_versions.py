"""The shim on every version of temporalio that it accepts: the same programs fulfil the same plans on each.

Each version has an environment of its own, in the user's cache. What is chosen here is small and wide: every kind of
message, child, cancellation, time limit and error, local and remote activities, kills, interceptors, converters.
"""

from __future__ import annotations

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from compat.temporal.private import TESTED
from tests.differential.plan import all_cases
from tests.differential.test_cases import check
from tests.differential.test_shim import shimmed
from tests.differential.test_shim_programs import NAMES, lines, start
from tests.interop.peers import TEMPORAL_SDKS, temporal_python
from tests.needs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.differential.plan import Case

CHOSEN: Final = (
    *("approval_by_signal", "update_with_answer", "progress_queries", "start_with_message", "handlers_finish"),
    *("children_in_parallel", "child_failures", "parent_close", "cancelled_in_sleep", "cancel_cleans_up"),
    *("continue_as_new", "terminated", "time_limits", "error_details", "retry_delays", "heartbeat_lost"),
    *("local_activity", "async_completion", "intercepted", "pydantic_models", "patched_steps", "memo_and_fate"),
    *("killed_in_child", "killed_while_waiting", "id_reuse", "workflow_info", "task_group", "external_handles"),
)
#: Programs of the shim's own; 1.20 accepts no dynamic activity whose argument is a ``collections.abc.Sequence``.
PORTABLE: Final = [name for name in NAMES if name != "activities"]
#: Programs at once: most of their time they wait.
AT_ONCE: Final = 4


def env_of(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "RESONATE_URL": f"sqlite:///{folder / 'resonate.db'}"}


def run(case: Case, folder: Path, python: Path) -> None:
    folder.mkdir()
    side = shimmed(case, folder)
    path = os.pathsep.join([side.env["PYTHONPATH"], str(ROOT)])
    check(case, dataclasses.replace(side, env={**side.env, "PYTHONPATH": path}, python=str(python)))


def test_chosen_programs_exist_and_the_versions_are_those_that_the_shim_names():
    assert {case.name for case in all_cases("temporal")} >= set(CHOSEN)
    found = [tuple(int(part) for part in version.split(".")[:2]) for version in TEMPORAL_SDKS]
    assert (found[0], found[-1]) == TESTED


def printed(name: str, folder: Path, python: Path) -> list[str]:
    folder.mkdir()
    program = start(name, folder / "program", env_of(folder), changed=True, python=str(python))
    try:
        return lines(program)
    finally:
        program.stop()


@pytest.mark.slow
def test_programs_of_the_shim_print_the_same_on_every_version_of_temporalio(tmp_path):
    pythons = {version: temporal_python(version) for version in TEMPORAL_SDKS}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = {
            (name, version): pool.submit(printed, name, tmp_path / f"{version}-{name}", python)
            for name in PORTABLE
            for version, python in pythons.items()
        }
    for (name, version), lines_of in found.items():
        assert lines_of.result() == found[name, TEMPORAL_SDKS[-1]].result(), (name, version)


@pytest.mark.slow
@pytest.mark.parametrize("version", TEMPORAL_SDKS)
def test_programs_fulfil_their_plans_on_a_version_of_temporalio(version, tmp_path):
    python = temporal_python(version)
    cases = [case for case in all_cases("temporal") if case.name in CHOSEN]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {case.name: pool.submit(run, case, tmp_path / f"in-{case.name}", python) for case in cases}
    failed = {name: str(done.exception()) for name, done in running.items() if done.exception() is not None}
    assert not failed, "\n".join(f"{name}: {text}" for name, text in failed.items())
