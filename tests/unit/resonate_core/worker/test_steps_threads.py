from __future__ import annotations

import logging
import random
import threading
from queue import SimpleQueue

import pytest

from resonate_core.worker.steps_threads import StepThreads


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def pool(max_threads=8):
    return StepThreads(max_threads, lambda: "names of steps")


def test_threads_are_made_on_demand_and_reused(eventually):
    threads, done = pool(), SimpleQueue()
    for _ in range(20):
        threads.submit(lambda: done.put(threading.current_thread().name) or True)
        eventually(lambda: not done.empty())
        done.get()
        eventually(lambda: len(threads._idle) == threads.count)
    assert threads.count == 1
    threads.stop()


def test_blocked_job_blocks_no_other(gate):
    threads, done = pool(), SimpleQueue()
    for _ in range(7):
        threads.submit(lambda: gate.wait() or True)
    threads.submit(lambda: done.put("free") or True)
    assert done.get(timeout=5) == "free"
    threads.stop()


def test_jobs_beyond_the_limit_run_when_a_thread_is_free(gate, caplog):
    threads, done = pool(2), SimpleQueue()
    with caplog.at_level(logging.WARNING, logger="resonate.step"):
        for number in range(6):
            threads.submit(lambda number=number: gate.wait() and done.put(number) is None)
    assert threads.count == 2
    assert caplog.text.count("all 2 step threads are busy") == 1
    assert "names of steps" in caplog.text
    gate.set()
    assert sorted(done.get(timeout=5) for _ in range(6)) == list(range(6))
    threads.stop()


def test_lost_thread_is_replaced_for_waiting_work(gate):
    threads, done = pool(1), SimpleQueue()
    started = threading.Event()
    threads.submit(lambda: started.set() or not gate.wait())
    started.wait()
    threads.submit(lambda: done.put("waiting") or True)
    threads.thread_lost()
    assert done.get(timeout=5) == "waiting"
    assert threads.count == 1
    threads.stop()


def test_late_thread_ends_after_its_job(gate, eventually):
    threads, seen = pool(1), SimpleQueue()
    threads.submit(lambda: seen.put(threading.current_thread()) or not gate.wait())
    thread = seen.get(timeout=5)
    threads.thread_lost()
    gate.set()
    eventually(lambda: not thread.is_alive())
    assert threads.count == 0


def test_stop_ends_idle_threads_and_leaves_busy_ones(gate, eventually):
    threads, seen = pool(), SimpleQueue()
    for _ in range(3):
        threads.submit(lambda: seen.put(threading.current_thread()) or gate.wait())
    made = [seen.get(timeout=5) for _ in range(3)]
    threads.stop()
    assert all(thread.is_alive() for thread in made)
    gate.set()
    eventually(lambda: not any(thread.is_alive() for thread in made))
    assert threads.count == 0


def test_no_thread_at_all_is_an_error_and_not_a_hang(monkeypatch):
    threads = pool()

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start"):
        threads.submit(lambda: True)


@pytest.mark.parametrize("seed", range(5))
def test_many_submitters_lose_no_job_and_strand_no_thread(seed, eventually):
    print("seed", seed)
    threads, done = pool(4), SimpleQueue()
    draw = random.Random(seed)
    count = 400

    def job(number, pause):
        if pause:
            threading.Event().wait(0.0001)
        done.put(number)
        return True

    def submitter(base):
        for number in range(count):
            threads.submit(lambda number=number: job(base + number, draw.random() < 0.1))

    senders = [threading.Thread(target=submitter, args=(each * count,)) for each in range(4)]
    for sender in senders:
        sender.start()
    found = {done.get(timeout=10) for _ in range(4 * count)}
    assert found == set(range(4 * count))
    eventually(lambda: len(threads._idle) == threads.count)
    assert not threads._overflow
    assert threads._assigned.empty()
    threads.stop()
