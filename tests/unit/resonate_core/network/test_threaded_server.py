"""The embedded server with its thread. Waiting is on events, never on time."""

import threading
from collections import Counter

import pytest

from resonate_core.clock import VirtualClock
from resonate_core.network.local import LocalNetwork
from resonate_core.network.local_engine import PAUSE_MS, Submission
from resonate_core.network.local_server import LocalServer
from resonate_core.protocol.requests import Execute, PromiseCreate, PromiseGet
from resonate_core.store import connection
from resonate_core.store.memory import MemoryStore
from resonate_core.store.sqlite import SqliteStore

FAR = 10**15
LONG = 5.0


class Box:
    """Collects answers and lets a test wait for a number of them."""

    def __init__(self):
        self.items = []
        self.changed = threading.Condition()

    def put(self, item):
        with self.changed:
            self.items.append(item)
            self.changed.notify_all()

    def wait(self, count=1):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.items) >= count, LONG), self.items
        return self.items


class Gate(SqliteStore):
    """A file whose next commit waits until the test lets it go, as a slow disk would."""

    def __init__(self, path):
        super().__init__(path)
        self.commits = 0
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def commit(self):
        self.entered.set()
        assert self.gate.wait(LONG)
        super().commit()
        self.commits += 1


@pytest.fixture
def slow(tmp_path):
    store = Gate(tmp_path / "a.db")
    server = LocalServer(store, VirtualClock(100))
    yield store, server
    store.gate.set()
    server.close()


def test_submissions_made_during_a_commit_share_the_next_one(slow):
    store, server = slow
    box = Box()
    server.submit([PromiseGet("none")], box.put)
    box.wait(1)
    store.gate.clear()
    store.entered.clear()
    server.submit([PromiseCreate("first", FAR)], box.put)
    assert store.entered.wait(LONG)
    done = store.commits
    for number in range(50):
        server.submit([PromiseCreate(f"p{number}", FAR)], lambda answers: box.put(answers[0].promise.id))
    store.gate.set()
    box.wait(52)
    assert store.commits - done == 2
    assert box.items[2:] == [f"p{number}" for number in range(50)]


def test_answers_come_after_the_commit_only(slow):
    store, server = slow
    box = Box()
    store.gate.clear()
    server.submit([PromiseCreate("p", FAR)], box.put)
    assert store.entered.wait(LONG)
    assert box.items == []
    store.gate.set()
    assert box.wait()[0][0].status == 200


def test_submissions_from_many_threads_are_all_answered_once(slow):
    _, server = slow
    box = Box()

    def work(name):
        for number in range(25):
            server.submit([PromiseCreate(f"{name}-{number}", FAR)], lambda answers: box.put(answers[0].promise.id))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(box.wait(100))
    assert len(counts) == 100
    for name in "abcd":
        assert [id for id in box.items if id[0] == name] == [f"{name}-{number}" for number in range(25)]


def test_close_answers_what_is_queued_then_refuses(tmp_path):
    server = LocalServer(SqliteStore(tmp_path / "a.db"), VirtualClock(100))
    box = Box()
    for number in range(20):
        server.submit([PromiseCreate(f"p{number}", FAR)], box.put)
    server.close()
    assert [answers[0].status for answers in box.items] == [200] * 20
    server.submit([PromiseGet("p0")], box.put)
    assert box.items[-1][0].status == 0


def test_file_held_by_another_is_answered_and_works_again(slow, monkeypatch, tmp_path):
    monkeypatch.setattr(connection, "LOCK_WAIT_MS", 1)
    store, server = slow
    other = SqliteStore(tmp_path / "a.db")
    other.begin()
    box = Box()
    server.submit([PromiseCreate("p", FAR)], box.put)
    answer = box.wait()[0][0]
    assert (answer.status, answer.promise) == (0, None)
    assert "another process holds the file" in answer.error
    other.rollback()
    other.close()
    server.submit([PromiseCreate("p", FAR)], box.put)
    assert box.wait(2)[1][0].status == 200
    assert store.promise("p") is not None


def test_full_disk_refuses_what_does_not_fit_and_loses_nothing(slow):
    store, server = slow
    box = Box()
    server.submit([PromiseCreate("small", FAR)], box.put)
    box.wait(1)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    server.submit([PromiseCreate("big", FAR, tags={"x": "y" * 100_000})], box.put)
    server.submit([PromiseGet("small")], box.put)
    refused, found = box.wait(3)[1][0], box.wait(3)[2][0]
    assert refused.status == 0
    assert "free some space" in refused.error
    assert found.status == 200
    store._db.execute("PRAGMA max_page_count = 1000000")
    server.submit([PromiseCreate("big", FAR, tags={"x": "y" * 100_000})], box.put)
    assert box.wait(4)[3][0].status == 200


def test_bad_request_in_a_shared_commit_fails_alone(slow):
    store, server = slow
    box = Box()
    server.submit([PromiseGet("none")], box.put)
    box.wait(1)
    store.gate.clear()
    store.entered.clear()
    server.submit([PromiseCreate("first", FAR)], box.put)
    assert store.entered.wait(LONG)
    for id, deadline in (("a", FAR), ("b", None), ("c", FAR)):
        server.submit([PromiseCreate(id, deadline)], box.put)
    store.gate.set()
    assert [answers[0].status for answers in box.wait(5)[2:]] == [200, 0, 200]


def test_timer_fires_when_the_clock_gets_there():
    clock = VirtualClock(100)
    server = LocalServer(MemoryStore(), clock)
    box = Box()
    server.submit([PromiseCreate("t", 30 * 86_400_000, tags={"resonate:timer": "true"})], lambda _: None)
    server.watch("t", box.put)
    server.next_due_ms()
    clock.advance_to(30 * 86_400_000)
    assert box.wait()[0].state == "resolved"
    server.close()


def test_deadline_at_the_end_of_time_is_waited_for():
    server = LocalServer(MemoryStore(), VirtualClock(100))
    box = Box()
    server.submit([PromiseCreate("t", 2**63 - 1)], box.put)
    server.submit([PromiseGet("t")], box.put)
    assert [answers[0].status for answers in box.wait(2)] == [200, 200]
    server.close()


def test_worker_that_starts_is_offered_what_waits_and_stops_cleanly():
    server = LocalServer(MemoryStore(), VirtualClock(100))
    stored, box = Box(), Box()
    server.submit([PromiseCreate("t", FAR, tags={"resonate:target": "poll://any@g"})], stored.put)
    stored.wait()
    network = LocalNetwork(server, group="g", pid="w1", on_stop=server.close)
    network.start(box.put, is_worker=True)
    assert box.wait() == [Execute("t", 0)]
    network.stop()
    network.stop()


def test_stop_from_a_callback_does_not_wait_for_itself():
    server = LocalServer(MemoryStore(), VirtualClock(100))
    stopped = threading.Event()
    network = LocalNetwork(server, group="g", pid="w1", on_stop=server.close)
    network.start(lambda _: None, is_worker=True)
    network.submit([PromiseGet("p")], lambda _: (network.stop(), stopped.set()))
    assert stopped.wait(LONG)
    server._thread.join(LONG)
    assert not server._thread.is_alive()


def test_series_that_come_together_are_answered_on_the_callers_thread_when_nobody_else_is_served():
    server = LocalServer(MemoryStore(), VirtualClock(100))
    server.next_due_ms()
    names = []
    series = [
        Submission([PromiseCreate(f"p{number}", FAR)], lambda _: names.append(threading.current_thread().name))
        for number in range(3)
    ]
    server.submit_all(series)
    box = Box()
    server.submit([PromiseGet("p2")], box.put)
    assert box.wait()[0][0].status == 200
    assert len(names) == 3
    server.close()


def test_series_that_come_together_do_not_overtake_what_was_submitted_before(slow):
    store, server = slow
    box = Box()
    server.submit([PromiseGet("none")], box.put)
    box.wait(1)
    store.gate.clear()
    store.entered.clear()
    server.submit([PromiseCreate("p", 500)], box.put)
    assert store.entered.wait(LONG)
    server.submit_all([Submission([PromiseCreate("p", 900)], box.put)])
    store.gate.set()
    assert [answers[0].promise.timeout_at for answers in box.wait(3)[1:]] == [500, 500]


def test_stop_from_a_callback_on_the_callers_thread_does_not_wait_for_itself():
    server = LocalServer(MemoryStore(), VirtualClock(100))
    network = LocalNetwork(server, group="g", pid="w1", on_stop=server.close)
    network.start(lambda _: None, is_worker=True)
    server.next_due_ms()
    stopped = threading.Event()
    network.submit_all([([PromiseGet("p")], lambda _: (network.stop(), stopped.set()))])
    assert stopped.wait(LONG)
    server._thread.join(LONG)
    assert not server._thread.is_alive()


def test_timer_that_a_caller_sets_on_its_own_thread_wakes_the_server():
    clock = VirtualClock(100)
    server = LocalServer(MemoryStore(), clock)
    server.next_due_ms()
    box = Box()
    server.watch("t", box.put)
    server.submit_all([Submission([PromiseCreate("t", 400, tags={"resonate:timer": "true"})], lambda _: None)])
    server.next_due_ms()
    clock.advance_to(400)
    assert box.wait()[0].settled_at == 400
    server.close()


def test_watch_while_the_file_is_held_by_another_is_told_later(slow, monkeypatch, tmp_path):
    monkeypatch.setattr(connection, "LOCK_WAIT_MS", 1)
    _, server = slow
    box, seen = Box(), Box()
    server.submit([PromiseCreate("p", 100)], box.put)
    box.wait()
    other = SqliteStore(tmp_path / "a.db")
    other.begin()
    server.watch("p", seen.put)
    server.submit([PromiseGet("p")], box.put)
    assert box.wait(2)[1][0].status == 0
    assert seen.items == []
    other.rollback()
    other.close()
    server.clock.advance(PAUSE_MS)
    assert seen.wait()[0].state == "rejected_timedout"
