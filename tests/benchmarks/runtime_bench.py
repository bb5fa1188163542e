"""What durable programs cost: ``python tests/benchmarks/runtime_bench.py [--rounds N] [--only NAME]``.

Every round measures everything once, beside raw commits of sqlite3 with the same settings on the same disk; medians of
the rounds are printed with the bound that each figure has to keep. A commit of the store is one fsync (WAL, FULL).
CPU is that of this process, all threads.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from resonate_core import Resonate, durable, entry, signal, step
from resonate_core.store.sqlite import SqliteStore

#: name -> (unit, bound as text, function of the median that says whether it is kept)
BOUNDS = {
    "sequential steps/s": ("1/s", "", lambda _: True),
    "sequential steps / raw commits": ("", ">= 0.5", lambda x: x >= 0.5),
    "sequential steps / DBOS on SQLite": ("", ">= 10", lambda x: x >= 10),
    "sequential CPU per step": ("ms", "<= 0.25", lambda x: x <= 0.25),
    "sequential fsyncs per step": ("", "<= 1.02", lambda x: x <= 1.02),
    "10,000 steps / 1,000 steps": ("", "<= 12", lambda x: x <= 12),
    "fan-out fsyncs per step": ("", "<= 0.05", lambda x: x <= 0.05),
    "fan-out steps/s": ("1/s", "", lambda _: True),
    "short workflows/s": ("1/s", "", lambda _: True),
    "short CPU each": ("ms", "<= 0.5", lambda x: x <= 0.5),
    "short fsyncs each": ("", "<= 0.3", lambda x: x <= 0.3),
    "replay / first execution": ("", ">= 20", lambda x: x >= 20),
    "recovery of 1,000 steps": ("s", "<= 0.25", lambda x: x <= 0.25),
    "nesting 5,000 deep": ("s", "", lambda _: True),
    "fan-out of 10,000": ("s", "", lambda _: True),
    "10,000 starts from 8 threads": ("s", "", lambda _: True),
    "signal to result": ("ms", "<= 1.5", lambda x: x <= 1.5),
    "suspended execution": ("KiB", "<= 2", lambda x: x <= 2),
    "idle CPU with 10,000 suspended": ("%", "<= 1", lambda x: x <= 1),
}


@step()
def same(value):
    return value


@durable()
def sequence(ctx, count):
    for number in range(count):
        yield ctx.run(same, number)
    return count


@durable()
def then_waits(ctx, count):
    for number in range(count):
        yield ctx.run(same, number)
    return (yield ctx.recv())


@durable()
def fan_out(ctx, count):
    promises = []
    for number in range(count):
        promises.append((yield ctx.begin_run(same, number)))
    total = 0
    for promise in promises:
        total += yield promise
    return total


@durable()
def short(ctx):
    return (yield ctx.run(same, 1))


@durable()
def deep(ctx, depth):
    return 0 if depth == 0 else 1 + (yield ctx.run(deep, depth - 1))


@durable()
def waits(ctx):
    return (yield (yield ctx.promise()))


@durable(name="Gate")
class Gate:
    def __init__(self):
        self.is_open = False

    @entry
    def run(self, ctx):
        yield ctx.wait_until(lambda: self.is_open)
        return 1

    @signal
    def open(self):
        self.is_open = True


class Commits:
    """Counts commits of all stores of this process."""

    def __init__(self):
        self.count = 0
        commit = SqliteStore.commit

        def counted(store):
            self.count += 1
            commit(store)

        SqliteStore.commit = counted


COMMITS = Commits()


def cpu_ms():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


class Span:
    def __enter__(self):
        self.wall, self.cpu, self.commits = time.perf_counter(), cpu_ms(), COMMITS.count
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self.wall
        self.cpu = cpu_ms() - self.cpu
        self.commits = COMMITS.count - self.commits


def client(directory, name):
    resonate = Resonate(f"sqlite:///{directory}/{name}.db", ttl=60)
    resonate.register(sequence, fan_out, short, deep, waits, then_waits, Gate)
    return resonate


def raw_commits_per_second(directory):
    db = sqlite3.connect(f"{directory}/raw.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT)")
    begun = time.perf_counter()
    for number in range(1000):
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO t VALUES (?, ?)", (f"w.{number}", "x" * 200))
        db.execute("COMMIT")
    db.close()
    return 1000 / (time.perf_counter() - begun)


DBOS_PROGRAM = """
import sys, time
import pysqlite3
sys.modules["sqlite3"] = pysqlite3
from dbos import DBOS
DBOS(config={{"name": "bench", "system_database_url": "sqlite:///{directory}/dbos.sqlite", "log_level": "ERROR"}})

@DBOS.step()
def same(value):
    return value

@DBOS.workflow()
def sequence(count):
    for number in range(count):
        same(number)

DBOS.launch()
sequence(20)
begun = time.perf_counter()
sequence(300)
print(300 / (time.perf_counter() - begun))
DBOS.destroy()
"""


def dbos_steps_per_second(directory):
    """Measure real DBOS beside us; None where it, or a SQLite that it can use, is not installed."""
    if importlib.util.find_spec("dbos") is None or importlib.util.find_spec("pysqlite3") is None:
        return None
    script = DBOS_PROGRAM.format(directory=directory)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def measure_sequence(directory):
    raw = raw_commits_per_second(directory)
    with client(directory, "seq") as resonate:
        resonate.run("warm", sequence, 50)
        with Span() as span:
            resonate.run("a", sequence, 1000)
        with Span() as long:
            resonate.run("b", sequence, 10_000)
    yield "sequential steps/s", 1000 / span.wall
    yield "sequential steps / raw commits", 1000 / span.wall / raw
    peer = dbos_steps_per_second(directory)
    if peer is not None:
        yield "sequential steps / DBOS on SQLite", 1000 / span.wall / peer
    yield "sequential CPU per step", span.cpu / 1000
    yield "sequential fsyncs per step", span.commits / 1000
    yield "10,000 steps / 1,000 steps", long.wall / span.wall


def measure_fan_out(directory):
    with client(directory, "fan") as resonate:
        resonate.run("warm", fan_out, 50)
        with Span() as span:
            resonate.run("a", fan_out, 1000)
        with Span() as wide:
            resonate.run("b", fan_out, 10_000)
    yield "fan-out steps/s", 1000 / span.wall
    yield "fan-out fsyncs per step", span.commits / 1000
    yield "fan-out of 10,000", wide.wall


def measure_short(directory, count=1000):
    async def all_of_them(resonate):
        gate = asyncio.Semaphore(20)

        async def one(number):
            async with gate:
                await resonate.aio.run(f"s{number}", short)

        await asyncio.gather(*[one(-number) for number in range(1, 50)])
        with Span() as span:
            await asyncio.gather(*[one(number) for number in range(count)])
        return span

    async def main():
        async with client(directory, "short") as resonate:
            return await all_of_them(resonate)

    span = asyncio.run(main())
    yield "short workflows/s", count / span.wall
    yield "short CPU each", span.cpu / count
    yield "short fsyncs each", span.commits / count


RECOVER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.benchmarks.runtime_bench import client
resonate = client({directory!r}, "recover")
begun = time.perf_counter()
resonate.start()
resonate.send("r", "go")
assert resonate.get("r").result(30) == "go"
print(time.perf_counter() - begun)
resonate.stop()
"""


def measure_replay(directory, count=1000):
    root = str(Path(__file__).resolve().parents[2])
    with client(directory, "recover") as resonate:
        with Span() as first:
            handle = resonate.begin_run("r", then_waits, count)
            while resonate.describe("r").state == "pending" and not resonate._engine.worker.sticky:
                time.sleep(0.005)
        del handle
    script = RECOVER.format(root=root, directory=str(directory))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    recovery = float(done.stdout)
    yield "recovery of 1,000 steps", recovery
    yield "replay / first execution", first.wall / recovery


def measure_nesting(directory):
    with client(directory, "deep") as resonate, Span() as span:
        assert resonate.run("d", deep, 5000) == 5000
    yield "nesting 5,000 deep", span.wall


def measure_starts(directory, count=10_000, threads=8):
    with client(directory, "starts") as resonate:
        resonate.run("warm", short)

        def start(first):
            for number in range(first, count, threads):
                resonate.begin_run(f"t{number}", short)

        workers = [threading.Thread(target=start, args=(first,)) for first in range(threads)]
        with Span() as span:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            for number in range(count):
                assert resonate.get(f"t{number}").result(60) == 1
    yield "10,000 starts from 8 threads", span.wall


def measure_signal(directory, count=100):
    with client(directory, "signal") as resonate:
        times = []
        for number in range(count):
            handle = resonate.begin_run(f"g{number}", Gate)
            while f"g{number}" not in resonate._engine.worker.sticky:
                time.sleep(0.01)
            begun = time.perf_counter()
            handle.signal("open")
            handle.result(10)
            times.append(time.perf_counter() - begun)
    yield "signal to result", statistics.median(times) * 1000


def resident_kib():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def measure_suspended(directory, count=10_000):
    with client(directory, "suspended") as resonate:
        resonate.run("warm", short)
        gc.collect()
        before = resident_kib()
        for number in range(count):
            resonate.begin_rpc(f"w{number}", waits)
        while resonate._engine.worker.holds:
            time.sleep(0.1)
        gc.collect()
        yield "suspended execution", max(0, resident_kib() - before) / count
        with Span() as span:
            time.sleep(2)
        yield "idle CPU with 10,000 suspended", span.cpu / span.wall / 10


MEASURES = (
    measure_sequence,
    measure_fan_out,
    measure_short,
    measure_replay,
    measure_nesting,
    measure_starts,
    measure_signal,
    measure_suspended,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="part of a measure's name")
    options = parser.parse_args()
    chosen = [measure for measure in MEASURES if not options.only or options.only in measure.__name__]
    found = defaultdict(list)
    for _ in range(options.rounds):
        for measure in chosen:
            with tempfile.TemporaryDirectory() as directory:
                for name, value in measure(Path(directory)):
                    found[name].append(value)
    missed = 0
    for name, values in found.items():
        unit, bound, keeps = BOUNDS[name]
        median = statistics.median(values)
        mark = "" if not bound else "ok" if keeps(median) else "MISSED"
        missed += mark == "MISSED"
        print(f"{name:<34} {median:>12.3f} {unit:<4} {bound:<8} {mark:<7} ({min(values):.3f} .. {max(values):.3f})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
