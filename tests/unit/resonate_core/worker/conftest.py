from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue

import pytest

from resonate_core.worker.steps import StepCall, StepRunner

PATIENCE_S = 5


class ManualClock:
    """Time stands still until a test moves it on; whoever waits is woken by the test's own ``run_due``."""

    def __init__(self):
        self.now = 1_000_000

    def now_ms(self):
        return self.now

    def wait(self, condition, _):
        condition.wait()

    def advance(self, ms):
        self.now += ms


class Steps:
    """Submits steps and collects their outcomes."""

    def __init__(self, runner, clock=None):
        self.runner = runner
        self.clock = clock
        self.outcomes = SimpleQueue()

    def start(self, function, *args, **options):
        given = {"id": "root.1", "root_id": "root", "name": getattr(function, "__name__", "step")} | options
        return self.runner.submit(StepCall(function=function, args=args, **given), self.outcomes.put)

    def outcome(self):
        try:
            return self.outcomes.get(timeout=PATIENCE_S)
        except Empty:
            pytest.fail("the step has no outcome")

    def run(self, function, *args, **options):
        self.start(function, *args, **options)
        return self.outcome()

    def pass_time(self, ms):
        self.clock.advance(ms)
        self.runner.run_due()

    def no_outcome(self):
        return self.outcomes.empty()


def until(condition):
    """Wait for something that another thread is about to do."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.0005)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def steps():
    """A runner with threads and a private loop on the machine's clock."""
    runner = StepRunner()
    yield Steps(runner)
    runner.stop()


@pytest.fixture
def timed(clock):
    """A runner with threads and a private loop whose time the test moves on."""
    runner = StepRunner(clock=clock)
    yield Steps(runner, clock)
    runner.stop()


@pytest.fixture
def inline(clock):
    """A runner without any thread."""
    runner = StepRunner(clock=clock, inline=True)
    yield Steps(runner, clock)
    runner.stop()


@pytest.fixture(params=["threads", "inline"])
def either(request):
    """Both forms of the runner, where they must agree."""
    return request.getfixturevalue("steps" if request.param == "threads" else "inline")


@pytest.fixture
def eventually():
    return until


@pytest.fixture
def make_steps():
    """For a runner of the test's own."""
    return Steps
