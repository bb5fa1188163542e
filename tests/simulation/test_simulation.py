"""Programs on killed, paused and badly connected workers: nothing lost, nothing recorded twice, same seed same log."""

from __future__ import annotations

import itertools

import pytest

from resonate_core.testing import Faults, Simulation
from tests.simulation import programs


def simulated(seed: int, faults: Faults | None = None) -> Simulation:
    print(f"seed {seed}: pytest tests/simulation --seeds 1 --seed {seed}")
    run = Simulation(seed, *programs.PROGRAMS, faults=faults)
    run.start("sequence", programs.sequence, 8)
    run.start("fan", programs.fan_out, 8)
    run.start("family", programs.family, 2)
    run.start("race", programs.race, 3)
    run.start("saga", programs.saga, 3)
    run.start("chain", programs.chain, 4, [])
    run.start("bank", programs.bank, 3, 4)
    run.start("listener", programs.listener, 4)
    run.start("reporter", programs.reporter, "listener", 4)
    run.start("customers", programs.customers, 4)
    run.run()
    return run


def check(run: Simulation) -> None:
    result = {id: run.client.get(id).result() for id in ("sequence", "fan", "family", "race", "saga", "chain")}
    executed = {number: label for label, number in programs.executed}
    assert [executed[n] for n in result["sequence"]] == [f"sequence/{i}" for i in range(8)]
    assert [executed[n] for n in result["fan"]] == [f"fan/{i}" for i in range(8)]
    assert len(set(result["family"])) == len(result["family"]) == 7
    assert len(result["race"]) == 6
    assert [executed[n] for n, _ in result["saga"]] == [f"saga/{i}" for i in (2, 1, 0)]
    assert [executed[n] for n in result["chain"]] == [f"chain/{i}" for i in (4, 3, 2, 1, 0)]
    seen, _ = run.client.get("bank-ledger").result()
    assert sorted(map(tuple, seen)) == [(str(teller), index) for teller in range(3) for index in range(4)]
    for teller in range(3):
        assert [index for name, index in seen if name == str(teller)] == [0, 1, 2, 3]
    assert run.client.get("listener").result() == [0, 1, 2, 3]
    visits = sorted(run.client.get("customers").result())
    assert all(ended < began for (_, ended), (began, _) in itertools.pairwise(visits)), f"two served at once: {visits}"


def check_records(run: Simulation) -> None:
    """Every number that a step gave is recorded at most once: one result for one promise."""
    numbers = [
        run.client._engine.env.codec.decode_value(record.value)
        for record in run.client.promises.search(state="resolved")
        if run.client._engine.env.recorded_name(record) in ("token", "flaky")
    ]
    assert len(numbers) == len(set(numbers))


def test_simulation_loses_and_doubles_nothing(seed_block):
    for seed in seed_block:
        programs.executed.clear()
        run = simulated(seed)
        check(run)
        check_records(run)


def test_simulation_without_faults_executes_each_step_once():
    programs.executed.clear()
    run = simulated(1, Faults.none())
    check(run)
    labels = [label for label, _ in programs.executed if not label.startswith("fan/")]
    assert len(labels) == len(set(labels)) + labels.count("saga/undo") - 1 + max(0, labels.count("listener/idle") - 1)


@pytest.mark.parametrize("seed", [3, 4])
def test_simulation_of_the_same_seed_gives_the_same_log(seed):
    logs = []
    for _ in range(2):
        programs.executed.clear()
        programs.restart()
        logs.append(simulated(seed).log)
    assert logs[0] == logs[1]
