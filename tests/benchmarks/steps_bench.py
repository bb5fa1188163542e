"""What a trivial step costs on its way through the runner: processor time, medians of interleaved rounds.

Run: python tests/benchmarks/steps_bench.py
"""

from __future__ import annotations

import statistics
import threading
import time
from queue import SimpleQueue

from resonate_core.worker.steps import StepCall, StepRunner

ROUNDS = 7
COUNT = 5_000


def work():
    return 1


async def async_work():
    return 1


def call(function):
    return StepCall(id="root.1", root_id="root", name="work", function=function)


def one_by_one(runner, step):
    done = SimpleQueue()
    for _ in range(COUNT):
        runner.submit(step, done.put)
        done.get()


def all_at_once(runner, step):
    done = SimpleQueue()
    for _ in range(COUNT):
        runner.submit(step, done.put)
    for _ in range(COUNT):
        done.get()


class BareThread:
    """The floor: the same hand-off to one thread and back with nothing between."""

    def __init__(self):
        self.jobs = SimpleQueue()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            function, on_done = self.jobs.get()
            on_done(function())

    def submit(self, step, on_done):
        self.jobs.put((step.function, on_done))


def cpu_us(case):
    start = time.process_time()
    case()
    return (time.process_time() - start) / COUNT * 1e6


def main():
    runner, bare = StepRunner(max_threads=8), BareThread()
    sync_step, async_step = call(work), call(async_work)
    limited = StepCall(id="root.1", root_id="root", name="work", function=work, attempt_timeout_ms=60_000)
    cases = {
        "bare hand-off, one by one": lambda: one_by_one(bare, sync_step),
        "sync, one by one": lambda: one_by_one(runner, sync_step),
        "sync with limit, one by one": lambda: one_by_one(runner, limited),
        "async, one by one": lambda: one_by_one(runner, async_step),
        "bare hand-off, all at once": lambda: all_at_once(bare, sync_step),
        "sync, all at once": lambda: all_at_once(runner, sync_step),
        "async, all at once": lambda: all_at_once(runner, async_step),
    }
    figures = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, case in cases.items():
            figures[name].append(cpu_us(case))
    for name, values in figures.items():
        print(f"{name:30} {statistics.median(values):7.1f} us")


if __name__ == "__main__":
    main()
