import threading

import pytest

from resonate_core.clock import SystemClock, VirtualClock, new_id, new_pid
from resonate_core.errors import UsageError

LONG = 5.0


class Waiter:
    """A thread that waits on a clock and says when it goes on."""

    def __init__(self, clock, timeout_ms):
        self.condition = threading.Condition()
        self.over = threading.Event()
        self.entered = threading.Event()
        self._clock, self._timeout_ms = clock, timeout_ms
        self.thread = threading.Thread(target=self._wait)
        self.thread.start()
        assert self.entered.wait(LONG)

    def _wait(self):
        with self.condition:
            self.entered.set()
            self._clock.wait(self.condition, self._timeout_ms)
        self.over.set()

    def end(self):
        with self.condition:
            self.condition.notify_all()
        self.thread.join(LONG)
        assert not self.thread.is_alive()


def test_virtual_clock_stands_still_until_told():
    clock = VirtualClock(100)
    assert (clock.now_ms(), clock.now_ms()) == (100, 100)
    clock.advance(30 * 86_400_000)
    assert clock.now_ms() == 100 + 30 * 86_400_000


def test_virtual_clock_wakes_who_has_waited_long_enough():
    clock = VirtualClock(100)
    soon, later = Waiter(clock, 10), Waiter(clock, 1_000)
    clock.advance(10)
    assert soon.over.wait(LONG)
    assert not later.over.is_set()
    soon.end()
    later.end()


def test_virtual_clock_wakes_who_is_notified():
    waiter = Waiter(VirtualClock(100), None)
    assert not waiter.over.is_set()
    waiter.end()
    assert waiter.over.is_set()


def test_virtual_clock_does_not_wait_for_what_has_passed():
    clock = VirtualClock(100)
    condition = threading.Condition()
    with condition:
        clock.wait(condition, 0)
        clock.wait(condition, -5)


def test_virtual_clock_does_not_go_back():
    clock = VirtualClock(100)
    with pytest.raises(UsageError, match="does not go back"):
        clock.advance_to(99)


def test_system_clock_wait_that_is_over_returns():
    condition = threading.Condition()
    with condition:
        SystemClock().wait(condition, -1)


def test_system_clock_counts_milliseconds_since_the_epoch():
    assert 1_600_000_000_000 < SystemClock().now_ms() < 10_000_000_000_000


def test_new_names_are_fresh():
    assert len({new_id() for _ in range(100)} | {new_pid() for _ in range(100)}) == 200
