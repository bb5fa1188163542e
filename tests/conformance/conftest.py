"""Random runs: ``--seeds N`` runs that many, ``--seed S`` starts at S."""

from __future__ import annotations


def pytest_generate_tests(metafunc):
    if "machine_seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--seed")
        count = metafunc.config.getoption("--seeds") or 6
        metafunc.parametrize("machine_seed", range(first, first + count))
