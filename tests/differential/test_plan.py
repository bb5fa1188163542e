"""The comparison itself: what must be seen as different is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.differential.plan import (
    TraceLine,
    Wait,
    all_cases,
    load,
    read_trace,
    trace_differences,
    wait_differences,
)

if TYPE_CHECKING:
    from pathlib import Path


def lines(*texts: str) -> list[TraceLine]:
    return [TraceLine(text, at=float(index)) for index, text in enumerate(texts)]


def test_trace_as_planned_has_no_differences():
    assert trace_differences(["a()", ["b(1)", "b(2)"], "c()"], lines("a()", "b(2)", "b(1)", "c()")) == []


@pytest.mark.parametrize(
    "seen",
    [
        lines("a()", "b(1)", "b(2)"),
        lines("a()", "b(1)", "b(2)", "c()", "c()"),
        lines("a()", "b(1)", "b(1)", "c()"),
        lines("b(1)", "a()", "b(2)", "c()"),
        [],
    ],
    ids=["missing", "repeated", "repeated in a group", "other order", "nothing"],
)
def test_trace_off_the_plan_is_told(seen: list[TraceLine]):
    assert trace_differences(["a()", ["b(1)", "b(2)"], "c()"], seen)


def test_wait_within_bounds_has_no_differences():
    assert wait_differences([Wait(0, 1, least=0.5, most=1.5)], lines("a()", "b()")) == []


@pytest.mark.parametrize("wait", [Wait(0, 1, 1.5, 9), Wait(0, 1, 0, 0.5), Wait(0, 2, 0, 9)])
def test_wait_out_of_bounds_is_told(wait: Wait):
    assert wait_differences([wait], lines("a()", "b()"))


def test_trace_line_half_written_does_not_count(tmp_path: Path):
    file = tmp_path / "trace"
    file.write_text(json.dumps({"step": "a", "args": [1, "x"]}) + '\n{"step": "b", "ar')
    assert [line.text for line in read_trace(file)] == ['a(1, "x")']


def test_plan_with_a_misspelt_key_is_refused(tmp_path: Path):
    folder = tmp_path / "dbos" / "case"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text('claim = "x"\ntier = "idiomatic"\n[[run]]\noutput = []\nstep = []\n')
    with pytest.raises(TypeError, match="step"):
        load(folder)


def test_plan_with_a_difference_that_nothing_tells_is_refused(tmp_path: Path):
    folder = tmp_path / "temporal" / "case"
    folder.mkdir(parents=True)
    plan = 'claim = "x"\ntier = "idiomatic"\n{}[[run]]\noutput = ["a"]\nsteps = []\ntold_output = ["b"]\n'
    (folder / "plan.toml").write_text(plan.format(""))
    with pytest.raises(ValueError, match="names no finding"):
        load(folder)
    (folder / "plan.toml").write_text(plan.format('told = ["RM508"]\n'))
    assert load(folder).as_told.runs[0].output == ["b"]


def test_cases_have_what_they_start():
    cases = all_cases("temporal") + all_cases("dbos")
    assert len(cases) > 110
    for case in cases:
        for start in (case.worker, case.client):
            assert not start or (case.path / start[0]).is_file(), case.name
