"""Several processes on one file, some of them killed. Nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from resonate_core.clock import SystemClock, monotonic_ms
from resonate_core.network.open import open_network
from resonate_core.protocol.requests import PromiseCreate, TaskCreate
from resonate_core.store.sqlite import SqliteStore
from tests.conformance.invariants import check_state, take

ROOT = Path(__file__).resolve().parent.parent.parent
FAR = 10**14
WAIT_S = 20.0


class Child:
    """A process of ``worker_process``; its lines are read by a thread of ours."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.worker_process", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())
            self._ready.set()

    def wait_until_ready(self):
        assert self._ready.wait(WAIT_S)

    def end(self):
        if self.process.poll() is None and not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        self.process.stdout.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.returncode


def check_file(path):
    """Reopen as a new process would, and check every property of the state."""
    store = SqliteStore(path)
    state = take(store, SystemClock().now_ms(), [])
    store.close()
    check_state(state, str(path))
    return state


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_process_killed_in_every_commit_in_turn_loses_no_answered_step(tmp_path, when):
    path = tmp_path / "a.db"
    answered = []
    for attempt in range(40):
        child = Child("steps", path, 3 + attempt % 3, when)
        code = child.end()
        answered += [line for line in child.lines if line.startswith("w.")]
        state = check_file(path)
        assert set(answered) <= set(state.promises)
        if "over" in child.lines or state.promises["w"].state != "pending":
            break
        assert code == -9 or child.lines == ["held"]
        expire_lease(path)
    assert state.promises["w"].state == "resolved"
    assert len(answered) == len(set(answered))
    slots = [one for id, one in state.promises.items() if id.startswith("w.inbox.")]
    assert Counter(one.value.data for one in slots) == Counter("01234")


def expire_lease(path):
    """Spare the test the waiting: end the lease of a process that is dead anyway."""
    store = SqliteStore(path)
    store._db.execute("UPDATE tasks SET state = 'pending', pid = NULL, ttl = NULL WHERE state = 'acquired'")
    store.close()


@pytest.mark.slow
def test_processes_killed_at_random_lose_nothing_and_repeat_nothing(tmp_path):
    path = tmp_path / "a.db"
    count, chance = 800, random.Random(4)
    network = open_network(f"sqlite:///{path}", group="c")
    network.submit([PromiseCreate("main", FAR, tags={"resonate:target": "poll://any@c"})], lambda _: None)
    children = [Child("chain", path) for _ in range(3)]
    results = Results()
    for number in range(count):
        network.watch(f"t{number}", results.put)
        tags = {"resonate:target": "poll://any@g", "resonate:branch": f"t{number}"}
        create = PromiseCreate(f"t{number}", FAR, tags=tags)
        network.submit([create], lambda _: None)
        if number % 100 == 99:
            results.wait(number // 4)
            victim = chance.randrange(3)
            children[victim].process.kill()
            children[victim].end()
            children[victim] = Child("chain", path)
    results.wait(count)
    network.stop()
    for child in children:
        child.end()
    state = check_file(path)
    assert Counter(one.id for one in results.found) == Counter({f"t{number}": 1 for number in range(count)})
    assert [one.id for one in state.promises.values() if one.state == "pending"] == ["main"]
    messages = Counter(one.value.data for id, one in state.promises.items() if id.startswith("main.inbox."))
    assert messages == Counter({f"t{number}": 1 for number in range(count)})
    assert {f"t{number}.{step}" for number in range(count) for step in range(6)} <= set(state.promises)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_process_that_forks_keeps_its_store_and_the_child_opens_its_own(tmp_path):
    child = Child("fork", tmp_path / "a.db")
    assert child.end() == 0
    assert child.lines == ["child 0", "parent [200, 200]"]


@pytest.fixture
def workers(tmp_path):
    path = tmp_path / "a.db"
    SqliteStore(path).close()
    made = [Child("worker", path, f"w{number}") for number in (1, 2)]
    for child in made:
        child.wait_until_ready()
    network = open_network(f"sqlite:///{path}", group="client")
    yield network, made, path
    network.stop()
    for child in made:
        child.end()


class Results:
    """Collects settled promises."""

    def __init__(self):
        self.found = []
        self.changed = threading.Condition()

    def put(self, promise):
        with self.changed:
            self.found.append(promise)
            self.changed.notify_all()

    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.found) >= count, WAIT_S), len(self.found)


def targeted(id):
    return PromiseCreate(id, FAR, tags={"resonate:target": "poll://any@g"})


@pytest.mark.slow
def test_tasks_for_two_processes_are_executed_once_each_and_shared(workers):
    network, children, path = workers
    results = Results()
    for number in range(200):
        network.watch(f"t{number}", results.put)
        network.submit([targeted(f"t{number}")], lambda _: None)
    results.wait(200)
    network.stop()
    for child in children:
        child.end()
    acquired = Counter(line for child in children for line in child.lines if line.startswith("acquired"))
    assert acquired == Counter({f"acquired t{number} 1": 1 for number in range(200)})
    shares = Counter(promise.value.data for promise in results.found)
    assert min(shares.values()) >= 80
    assert all(task.state == "fulfilled" for task in check_file(path).tasks.values())


@pytest.mark.slow
def test_task_and_its_result_between_idle_processes_arrive_soon(workers):
    network, _, _ = workers
    times = []
    for number in range(30):
        results = Results()
        start = monotonic_ms()
        network.watch(f"t{number}", results.put)
        network.submit([targeted(f"t{number}")], lambda _: None)
        results.wait(1)
        times.append(monotonic_ms() - start)
    print("there and back, ms:", sorted(round(one, 1) for one in times))
    assert sorted(times)[15] < 100, "each way takes at most 50 ms"


@pytest.mark.slow
def test_task_of_a_killed_process_is_taken_over_soon_after_its_lease(workers):
    network, children, _ = workers
    victim, survivor = children
    victim.process.kill()
    victim.process.wait(WAIT_S)
    results = Results()
    network.watch("t", results.put)
    start = monotonic_ms()
    network.submit([TaskCreate("gone", 300, targeted("t"))], lambda _: None)
    results.wait(1)
    took = monotonic_ms() - start
    print(f"taken over {took - 300:.0f} ms after the lease")
    assert results.found[0].value.data == "w2"
    assert 300 <= took < 1_000
    assert survivor.lines[-1] == "acquired t 2"
