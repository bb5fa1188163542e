"""Memory, SQLite and HTTP answer the same and store the same, whatever is asked; every property holds on the way.

What a request does is its *behaviour*: its kind, its status, and how the states of tasks and promises moved. Seeds are
taken until several in a row show no behaviour that was not seen before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from resonate_core.network.http_responses import answer_data, read_answer
from resonate_core.network.http_wire import answer_head, write_envelope
from tests.conformance.driver import make_system
from tests.conformance.invariants import check_state, check_step
from tests.conformance.over_http import OverHttp
from tests.conformance.random_steps import KINDS, Maker
from tests.conformance.steps import NOW

STEPS = 500
#: Seeds in a row that show nothing new, after which there is nothing to be found.
QUIET_SEEDS = 4
SEEDS_MAX = 60


class Seen:
    """What was seen so far."""

    def __init__(self):
        self.succeeded = Counter()
        self.behaviours = set()

    def note(self, request, response, before, after):
        if response.status in (200, 300):
            self.succeeded[type(request)] += 1
        self.behaviours.add((type(request).__name__, response.status, _moves(before, after)))


def _moves(before, after):
    tasks = {(before.tasks[id].state, row.state) for id, row in after.tasks.items() if id in before.tasks}
    born = {("", row.state) for id, row in after.tasks.items() if id not in before.tasks}
    settled = {after.promises[id].state for id, one in before.promises.items() if one.state != after.promises[id].state}
    return frozenset(move for move in tasks | born if move[0] != move[1]), frozenset(settled)


def run(seed, directory, seen):
    """One run of the embedded stores; returns nothing, fails with the seed and the step."""
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
                ask_both(maker, systems, where, seen)
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


def ask_both(maker, systems, where, seen):
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
        seen.note(requests[0], answers[0][0], before, after)
        systems[0]._emitted = after.emitted + systems[0]._emitted
    is_undone = is_atomic and answers[0][-1].status not in (200, 300)
    for request, response in zip(requests, answers[0], strict=True):
        if not is_undone:
            maker.note(response)
        if response.status in (200, 300):
            seen.succeeded[type(request)] += 1


def test_memory_and_sqlite_same_requests_same_answers(machine_seed, tmp_path):
    print(f"pytest tests/conformance/test_random.py --seed {machine_seed} --seeds 1")
    run(machine_seed, tmp_path, Seen())


def run_over_http(seed, seen):
    """One run of memory beside memory behind HTTP: what is answered must survive the wire, and nothing else happen."""
    maker = Maker(seed)
    plain, wired = make_system("memory", None), OverHttp(now_ms=NOW)
    try:
        for system in (plain, wired):
            system.attach("g", "w1")
            system.attach("g", "w2")
        before = plain.snapshot()
        for number in range(STEPS // 2):
            where = f"seed {seed}, step {number}"
            if number % 5 == 4:
                now = maker.later()
                for system in (plain, wired):
                    system.stand_at(now)
                    system.tick()
                before = plain.snapshot()
                continue
            request = maker.series(before)[0]
            answer = plain.ask(request)
            assert over_the_wire(request, answer) == wired.ask(request), f"{where}: {request}"
            maker.note(answer)
            after = plain.snapshot()
            assert replace(after, emitted=[]) == replace(wired.snapshot(), emitted=[]), f"{where}: {request}"
            assert plain.take_messages() == wired.take_messages(), where
            seen.note(request, answer, before, after)
            before = after
    finally:
        plain.close()
        wired.close()


def over_the_wire(request, response):
    """Return what is left of an answer that was written and read."""
    status, data = answer_data(request, response, "c")
    kind = str(type(request).__struct_config__.tag)
    return read_answer(write_envelope(kind, answer_head("c", status), data), kind, "c")


def test_memory_and_http_same_requests_same_answers(machine_seed):
    run_over_http(machine_seed, Seen())


@pytest.mark.slow
def test_seeds_are_taken_until_nothing_new_is_seen_and_every_kind_has_succeeded(tmp_path):
    seen, quiet, seed = Seen(), 0, 100
    while quiet < QUIET_SEEDS:
        assert seed < 100 + SEEDS_MAX, f"still something new after {SEEDS_MAX} seeds: {len(seen.behaviours)} behaviours"
        known = len(seen.behaviours)
        directory = tmp_path / str(seed)
        directory.mkdir()
        run(seed, directory, seen)
        run_over_http(seed, seen)
        quiet = quiet + 1 if len(seen.behaviours) == known else 0
        seed += 1
    print(f"{len(seen.behaviours)} behaviours in {seed - 100} seeds")
    assert {kind.__name__ for kind in KINDS} - {kind.__name__ for kind in seen.succeeded} == set()


@pytest.mark.parametrize("seed", [7])
def test_random_requests_of_one_seed_are_always_the_same(seed):
    first, second = Maker(seed), Maker(seed)
    assert [first.series() for _ in range(50)] == [second.series() for _ in range(50)]
