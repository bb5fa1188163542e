"""Two embedded servers on one file, as in two processes; inline, so that each step can be seen."""

from collections import Counter

import pytest

from resonate_core.clock import VirtualClock
from resonate_core.network.local import LocalNetwork
from resonate_core.network.local_server import LocalServer
from resonate_core.protocol.requests import (
    Execute,
    PromiseCreate,
    PromiseRegisterCallback,
    PromiseRegisterListener,
    PromiseSettle,
    TaskAcquire,
    TaskCreate,
    TaskSuspend,
    Unblock,
)
from resonate_core.store.sqlite import SqliteStore

FAR = 10**12
CLOCK = 100


class Process:
    def __init__(self, path, clock):
        self.server = LocalServer(SqliteStore(path, synchronous="NORMAL"), clock, inline=True, retry_ms=50)
        self.received = []
        self.seen = []

    def join(self, pid, *, is_worker=True):
        network = LocalNetwork(self.server, group="g", pid=pid)
        network.start(self.received.append, is_worker=is_worker)
        return network

    def ask(self, *requests):
        answers = []
        self.server.submit(requests, answers.extend)
        return answers

    def die(self):
        """Vanish as a killed process does: the system lets go of its locks, its rows stay."""
        self.server.store.board._presence.leave()
        self.server.store._db.close()
        self.server._is_stopping = True


@pytest.fixture
def clock():
    return VirtualClock(CLOCK)


@pytest.fixture
def pair(tmp_path, clock):
    made = [Process(tmp_path / "a.db", clock) for _ in range(2)]
    yield made
    for process in made:
        if not process.server._is_stopping:
            process.server.close()


def targeted(id, to="poll://any@g"):
    return PromiseCreate(id, FAR, tags={"resonate:target": to})


def bulletin(process):
    return process.server.store._db.execute("SELECT COUNT(*) FROM bulletin").fetchone()[0]


def test_execute_for_a_worker_elsewhere_reaches_it(pair):
    client, worker = pair
    worker.join("w1")
    client.ask(targeted("t"))
    worker.server.pump()
    worker.server.pump()
    assert worker.received == [Execute("t", 0)]


def test_executes_are_shared_by_workers_of_two_processes_each_once(pair):
    pair[0].join("w1")
    pair[1].join("w2")
    for number in range(10):
        pair[0].ask(targeted(f"t{number}"))
    for process in pair:
        process.server.pump()
    counts = Counter(message.id for process in pair for message in process.received)
    assert counts == Counter({f"t{number}": 1 for number in range(10)})
    assert [len(process.received) for process in pair] == [5, 5]


def test_execute_while_nobody_is_there_waits_for_the_first_worker(pair):
    client, worker = pair
    client.ask(targeted("t"))
    worker.join("w1")
    worker.server.pump()
    assert worker.received == [Execute("t", 0)]


def test_one_process_alone_writes_no_bulletin(pair):
    pair[0].join("w1")
    pair[0].ask(targeted("t"), PromiseSettle("t", "resolved"))
    assert bulletin(pair[0]) == 0


def test_unblock_for_a_listener_elsewhere_reaches_it(pair):
    client, worker = pair
    network = client.join("c1", is_worker=False)
    client.ask(PromiseCreate("p", FAR), PromiseRegisterListener("p", network.unicast))
    worker.ask(PromiseSettle("p", "resolved"))
    client.server.pump()
    client.server.pump()
    assert [type(message) for message in client.received] == [Unblock]
    assert client.received[0].promise.state == "resolved"


def test_watch_hears_of_a_settlement_elsewhere(pair):
    watcher, other = pair
    watcher.ask(PromiseCreate("p", FAR))
    watcher.server.watch("p", watcher.seen.append)
    other.ask(PromiseSettle("p", "resolved"))
    watcher.server.pump()
    watcher.server.pump()
    assert [one.state for one in watcher.seen] == ["resolved"]


def test_watch_of_an_unknown_promise_hears_when_it_is_made_elsewhere(pair):
    watcher, other = pair
    watcher.server.watch("p", watcher.seen.append)
    other.ask(PromiseCreate("p", FAR))
    watcher.server.pump()
    assert watcher.seen == []
    other.ask(PromiseSettle("p", "resolved"))
    watcher.server.pump()
    watcher.server.pump()
    assert len(watcher.seen) == 1


def test_watch_of_a_local_child_hears_although_nobody_tells(pair):
    watcher, other = pair
    watcher.server.watch("p.1", watcher.seen.append)
    other.ask(PromiseCreate("p.1", FAR, tags={"resonate:scope": "local"}))
    watcher.server.pump()
    other.ask(PromiseSettle("p.1", "resolved"))
    watcher.server.pump()
    watcher.server.pump()
    assert len(watcher.seen) == 1


def test_watch_goes_on_after_the_worker_of_the_process_has_stopped(pair):
    watcher, other = pair
    network = watcher.join("w1")
    watcher.ask(PromiseCreate("p", FAR))
    watcher.server.watch("p", watcher.seen.append)
    network.stop()
    other.ask(PromiseSettle("p", "resolved"))
    watcher.server.pump()
    watcher.server.pump()
    assert len(watcher.seen) == 1


def test_worker_that_died_gets_nothing_and_its_share_goes_to_the_living(pair):
    living, dead = pair
    living.join("w1")
    dead.join("w2")
    living.server.pump()
    dead.die()
    living.ask(*[targeted(f"t{number}") for number in range(4)])
    living.server.pump()
    assert len(living.received) == 4
    assert bulletin(living) == 0


def test_lease_of_a_dead_process_is_taken_over_by_the_living(pair, clock):
    living, dead = pair
    living.join("w1")
    dead.join("w2")
    dead.ask(TaskCreate("w2", 1_000, targeted("t")))
    dead.die()
    living.server.pump()
    assert living.server.next_due_ms() == CLOCK + 1_000
    clock.advance(1_000)
    living.server.run_due()
    living.server.pump()
    assert living.received == [Execute("t", 1)]
    assert living.ask(TaskAcquire("t", 1, "w1", 1_000))[0].task.version == 2


def test_resume_goes_back_to_the_process_that_held_the_task(pair):
    one, other = pair
    one.join("w1")
    other.join("w2")
    one.ask(PromiseCreate("a", FAR))
    for number in range(4):
        other.ask(
            TaskCreate("w2", 1_000, targeted(f"t{number}")),
            TaskSuspend(f"t{number}", 1, [PromiseRegisterCallback("a", f"t{number}")]),
        )
    one.ask(PromiseSettle("a", "resolved"))
    other.server.pump()
    assert len(other.received) == 4


def test_process_that_slept_through_the_bulletin_looks_at_everything(pair):
    watcher, other = pair
    watcher.join("w1")
    watcher.server.watch("p", watcher.seen.append)
    other.ask(PromiseCreate("p", FAR), PromiseSettle("p", "resolved"), targeted("t"))
    other.ask(PromiseCreate("q", FAR), PromiseSettle("q", "resolved"))
    other.server.store._db.execute("DELETE FROM bulletin WHERE id <> 'q'")
    watcher.server.pump()
    watcher.server.pump()
    assert watcher.received == [Execute("t", 0)]
    assert len(watcher.seen) == 1


def test_close_takes_a_process_off_the_list(pair):
    one, other = pair
    one.join("w1")
    other.join("w2")
    one.server.close()
    rows = other.server.store._db.execute("SELECT grp, pid FROM peers WHERE grp <> ''").fetchall()
    assert rows == [("g", "w2")]
