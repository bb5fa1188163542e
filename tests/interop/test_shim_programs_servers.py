"""Programs of both shims on servers: unchanged programs, killed ones too, fulfil the plan that the originals fulfil.

Every run has some of them on each kind of server. Where RESONATE_TEST_SERVER names a binary, all of them run on it,
each on a server of its own: programs of one project use the same ids as those of another.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from tests.differential import test_dbos_shim, test_shim
from tests.differential.plan import all_cases
from tests.differential.test_cases import check
from tests.interop.fakes import fake
from tests.load import servers
from tests.load.live import real_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.differential.plan import Case

#: What every run has: messages, updates, children, cancellation, rounds, races, kills.
ALWAYS = {
    "temporal": (
        *("approval_by_signal", "update_with_answer", "children_in_parallel", "cancelled_in_sleep", "continue_as_new"),
        *("race", "killed_in_child", "killed_while_waiting", "undo_in_reverse", "closed_id_runs_again"),
    ),
    "dbos": ("messages", "events", "nested_children", "killed_in_step", "killed_in_sleep", "async_fan_out", "demo"),
}
HAS_REAL = servers.SERVER_VARIABLE in os.environ
SHIMS = {"temporal": test_shim.shimmed, "dbos": test_dbos_shim.shimmed}
CASES = [case for source in ALWAYS for case in all_cases(source)]
SOME = [case for case in CASES if case.name in ALWAYS[case.source]]


#: Real servers notice deadlines about once a second, and say a task again that nobody heard.
LATER_S = 1.5


def patient(case: Case) -> Case:
    """Return a case that allows for a server's own pace."""
    runs = [
        dataclasses.replace(run, waits=[dataclasses.replace(wait, most=wait.most + LATER_S) for wait in run.waits])
        for run in case.runs
    ]
    return dataclasses.replace(case, runs=runs)


def run(case: Case, folder: Path, url: str) -> None:
    side = SHIMS[case.source](case, folder)
    check(case, dataclasses.replace(side, env={**side.env, "RESONATE_URL": url}))


def test_programs_of_every_run_exist():
    assert len(SOME) == sum(map(len, ALWAYS.values()))


#: Every program on the dialect with most rules and on one other, in turn: on all of them it would take minutes.
TURNS = [(case, dialect) for number, case in enumerate(SOME) for dialect in ("M", "RCP"[number % 3])]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "dialect"), TURNS, ids=[f"{case.source}-{case.name}-{dialect}" for case, dialect in TURNS]
)
def test_program_on_a_fake_server_fulfils_its_plan(case, dialect, tmp_path):
    with fake(dialect) as server:
        run(patient(case), tmp_path, server.url)


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.skipif(not HAS_REAL, reason=f"{servers.SERVER_VARIABLE} names no Resonate Server")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.source}-{case.name}")
def test_program_on_a_real_server_fulfils_its_plan(case, tmp_path):
    with real_server(tmp_path) as server:
        run(patient(case), tmp_path, server.url)
