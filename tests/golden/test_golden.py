"""Every case of ``fixtures/``: what comes out, what is said, and that a second run has nothing to do."""

from __future__ import annotations

import pytest

from migrate.run import run
from migrate.settings import Settings
from migrate.verify import check_compiles
from tests.golden.cases import all_cases

CASES = all_cases()


def options(case):
    known = {"max_tier", "select", "ignore", "line_length"}
    given = {name: value for name, value in case.settings.items() if name in known}
    asked = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return {"max_tier": "helper", **asked}  # what the rules do by themselves; cases of the shims ask for more


def outcome(case, folder):
    """Run on a copy, away from this repository's own files; return the report and the files as they would be."""
    place(folder, case.before())
    report = run(Settings((folder,), case.source, **options(case))).report
    return report, {**case.before(), **{one.path: one.encoded for one in report.changed}}


def place(folder, files):
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_case_comes_out_as_written(case, request, tmp_path):
    report, result = outcome(case, tmp_path)
    found = [f"{one.code} {one.path}:{one.line}" for one in report.findings]
    if request.config.getoption("--regenerate"):
        case.write_after(result)
        case.write_findings(found)
        case.settings["findings"] = found
    for path, data in result.items():
        if path.endswith(".py") and data != case.before().get(path):
            check_compiles(path, data)
    expected = case.after()
    assert {path: data.decode("utf-8", "replace") for path, data in result.items()} == {
        path: data.decode("utf-8", "replace") for path, data in expected.items()
    }, "\n".join(f"{one.code} {one.path}:{one.line} {one.message}" for one in report.findings)
    if "findings" in case.settings:
        assert found == case.settings["findings"]
    if "tiers" in case.settings:
        assert {one.name: one.tier for one in report.workflows} == case.settings["tiers"]
    assert not [one for one in report.files if one.status == "failed"] or case.settings.get("exit") == 3


@pytest.mark.parametrize("case", [one for one in CASES if not one.is_left_alone], ids=lambda case: case.name)
def test_golden_case_second_run_changes_nothing(case, tmp_path):
    place(tmp_path, case.after())
    report = run(Settings((tmp_path,), case.source, **options(case))).report
    assert [one.path for one in report.changed] == []


def test_golden_cases_four_in_ten_are_left_alone():
    alone = [case for case in CASES if case.is_left_alone]
    assert len(alone) >= 0.4 * len(CASES), f"{len(alone)} of {len(CASES)} cases are left alone"
