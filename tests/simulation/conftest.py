"""How many seeds: 200 unless told otherwise (``make soak`` takes 10,000)."""

from __future__ import annotations


def pytest_generate_tests(metafunc):
    if "seed_block" in metafunc.fixturenames:
        count = metafunc.config.getoption("--seeds") or 200
        first = metafunc.config.getoption("--seed")
        size = min(25, count)
        blocks = [range(start, min(start + size, first + count)) for start in range(first, first + count, size)]
        metafunc.parametrize("seed_block", blocks, ids=[f"{block.start}-{block.stop - 1}" for block in blocks])
