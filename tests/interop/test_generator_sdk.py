"""Plain migrated programs run on the generator SDK 0.6.7 as they are, and do what the originals did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests import programs
from tests.differential import sides
from tests.differential.plan import SUPPORT, all_cases, read_trace, trace_differences
from tests.interop import peers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.differential.plan import Case

ADAPTER: Final = peers.HERE / "generator_sdk"
#: Cases whose migrated code uses names of the SDK only, beside the marks.
PLAIN: Final = ("helper_functions", "loops_and_conditions", "many_steps", "nested_children", "plain_code_between")
CASES: Final = [case for case in all_cases("dbos") if case.name in PLAIN]
SECONDS: Final = 20.0


def test_cases_are_there():
    assert {case.name for case in CASES} == set(PLAIN)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_plain_migrated_program_runs_on_the_generator_sdk(case: Case, tmp_path: Path) -> None:
    python = peers.generator_python()
    side, _ = sides.migrated(case, tmp_path)
    (run, *_) = case.runs
    env = {**side.env, "PYTHONPATH": f"{ADAPTER}:{SUPPORT}", "PYTHONUNBUFFERED": "1"}
    command = [str(python), *case.client, *run.arguments]
    program = programs.launch(command, folder=side.folder, env=env, name="sdk", logs=tmp_path)
    assert program.wait(SECONDS) == run.output
    assert not trace_differences(run.steps, read_trace(side.trace_file))
