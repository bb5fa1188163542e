"""Memory and SQLite answer the same and store the same, whatever is asked; and every property holds on the way."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.conformance.driver import make_system
from tests.conformance.invariants import check_state, check_step
from tests.conformance.random_steps import KINDS, Maker

STEPS = 500


def run(seed, directory, succeeded):
    """One run; returns nothing, fails with the seed and the step."""
    maker = Maker(seed)
    systems = [make_system(kind, directory) for kind in ("memory", "sqlite")]
    for system in systems:
        for pid in ("w1", "w2"):
            system.attach("g", pid)
    before = [system.snapshot() for system in systems]
    try:
        for number in range(STEPS):
            where = f"seed {seed}, step {number}"
            is_background = number % 5 == 4
            if is_background:
                now = maker.later()
                for system in systems:
                    system.stand_at(now)
                    system.tick()
            else:
                ask_both(maker, systems, where, succeeded)
            after = [system.snapshot() for system in systems]
            assert after[0] == after[1], where
            check_state(after[0], where)
            if is_background:
                check_step(before[0], after[0], where, is_background=True)
            assert systems[0].take_messages() == systems[1].take_messages(), where
            before = after
    finally:
        for system in systems:
            system.close()


def ask_both(maker, systems, where, succeeded):
    """Ask the same series of both; a single request must also be a legal step."""
    before = systems[0].snapshot()
    requests = maker.series(before)
    is_atomic = len(requests) > 1 and maker.random.random() < 0.5
    answers = [system.ask_all(requests, atomic=is_atomic) for system in systems]
    where = f"{where}: {requests}"
    assert answers[0] == answers[1], where
    if len(requests) == 1:
        after = systems[0].snapshot()
        check_step(before, after, where)
        systems[0]._emitted = after.emitted + systems[0]._emitted
    is_undone = is_atomic and answers[0][-1].status not in (200, 300)
    for request, response in zip(requests, answers[0], strict=True):
        if not is_undone:
            maker.note(response)
        if response.status in (200, 300):
            succeeded[type(request)] += 1


def test_memory_and_sqlite_same_requests_same_answers(machine_seed, tmp_path):
    print(f"pytest tests/conformance/test_random.py --seed {machine_seed} --seeds 1")
    run(machine_seed, tmp_path, Counter())


def test_random_requests_of_a_few_seeds_succeed_with_every_kind(tmp_path):
    succeeded = Counter()
    for seed in range(100, 103):
        directory = tmp_path / str(seed)
        directory.mkdir()
        run(seed, directory, succeeded)
    assert {kind.__name__ for kind in KINDS} - {kind.__name__ for kind in succeeded} == set()


@pytest.mark.parametrize("seed", [7])
def test_random_requests_of_one_seed_are_always_the_same(seed):
    first, second = Maker(seed), Maker(seed)
    assert [first.series() for _ in range(50)] == [second.series() for _ in range(50)]
