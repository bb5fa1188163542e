"""The small form of the load test; the full one is ``python tests/benchmarks/load_bench.py``."""

from __future__ import annotations

import pytest

from tests.load import crowd


@pytest.mark.slow
def test_crowd_with_workers_killed_and_server_restarted_ends_and_is_recorded_once(tmp_path):
    figures = crowd.run(crowd.Plan(executions=300, kill_every_s=1.0, seconds=120), tmp_path)
    print(figures)
    assert figures.worker_kills >= 1
    assert figures.server_restarts == 1


def test_step_that_was_recorded_twice_is_found():
    results = {"e": ["a", "b", "c", "d", "x"]}
    recorded = {("e", number): token for number, token in enumerate(results["e"])}
    ran = {
        ("e", n): [(given, gave)]
        for n, (given, gave) in enumerate(zip(["start", *"abcd"], [*"abcd", "x"], strict=True))
    }
    crowd._compare(results, recorded, ran)
    ran["e", 2].append(("other", "y"))
    with pytest.raises(AssertionError, match="step 1 was recorded twice"):
        crowd._compare(results, recorded, ran)
