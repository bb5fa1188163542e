from __future__ import annotations

import threading

from resonate_core.clock import SystemClock
from resonate_core.worker.steps_timers import _DEAD_MIN, Timers


def test_entries_run_in_order_of_time_and_then_of_adding(clock):
    timers, seen = Timers(clock, threaded=False), []
    for delay, name in ((20, "c"), (10, "a"), (20, "d"), (10, "b")):
        timers.add(delay, lambda name=name: seen.append(name))
    clock.advance(10)
    assert timers.run_due() == 2
    clock.advance(100)
    timers.run_due()
    assert seen == ["a", "b", "c", "d"]


def test_discarded_entry_does_not_run(clock):
    timers, seen = Timers(clock, threaded=False), []
    entry = timers.add(10, lambda: seen.append(1))
    timers.discard(entry)
    timers.discard(entry)
    clock.advance(10)
    assert timers.run_due() == 0
    assert not seen
    assert timers.next_due_in() is None


def test_entry_may_add_another_one_that_is_due(clock):
    timers, seen = Timers(clock, threaded=False), []
    timers.add(0, lambda: timers.add(0, lambda: seen.append("second")))
    assert timers.run_due() == 2
    assert seen == ["second"]


def test_discarded_entries_do_not_pile_up(clock):
    timers = Timers(clock, threaded=False)
    kept = timers.add(5, lambda: None)
    for _ in range(10 * _DEAD_MIN):
        timers.discard(timers.add(3_600_000, lambda: None))
    assert len(timers._heap) <= 2 * _DEAD_MIN
    assert timers.next_due_in() == 5
    timers.discard(kept)


def test_discarding_what_has_run_changes_nothing(clock):
    timers = Timers(clock, threaded=False)
    entry = timers.add(0, lambda: None)
    timers.run_due()
    timers.discard(entry)
    assert timers._dead == 0


def test_thread_serves_an_earlier_entry_that_is_added_while_it_waits():
    timers, rang = Timers(SystemClock(), threaded=True), threading.Event()
    timers.add(60_000, lambda: None)
    timers.add(1, rang.set)
    assert rang.wait(5)
    timers.stop()


def test_thread_is_not_woken_for_later_entries(eventually):
    class CountingClock(SystemClock):
        waits = 0

        def wait(self, condition, timeout_ms):
            self.waits += 1
            super().wait(condition, timeout_ms)

    clock = CountingClock()
    timers = Timers(clock, threaded=True)
    timers.add(30_000, lambda: None)
    eventually(lambda: clock.waits)
    for _ in range(1000):
        timers.discard(timers.add(40_000, lambda: None))
    assert clock.waits == 1
    timers.stop()


def test_wall_clock_that_jumps_does_not_move_durations(monkeypatch):
    clock = SystemClock()
    timers = Timers(clock, threaded=False)
    timers.add(60_000, lambda: None)
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: 0)
    assert 59_000 < timers.next_due_in() <= 60_000
