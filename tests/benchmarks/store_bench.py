"""What the embedded store costs: ``python tests/benchmarks/store_bench.py [DIRECTORY]``.

Prints round trips of one local step (``x.fence_settled``) beside raw commits of sqlite3 with the same settings, group
commit with many threads, messages into a long inbox, and the preload of a wide execution. CPU is this process's.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from resonate_core.network.open import open_network
from resonate_core.protocol.records import Value
from resonate_core.protocol.requests import (
    FenceSettled,
    MessageAppend,
    PromiseCreate,
    TaskAcquire,
    TaskCreate,
    TaskRelease,
)

PAYLOAD = "x" * 200
FAR_MS = 10**14
TAGS = {"resonate:origin": "w", "resonate:branch": "w", "resonate:parent": "w", "resonate:scope": "local"}


class Meter:
    """Wall and CPU time of a block, shown per operation."""

    def __init__(self, label: str, count: int) -> None:
        self.label, self.count = label, count

    def __enter__(self) -> Self:
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        rate, each = self.count / wall, 1000 / self.count
        print(f"{self.label:<52} {rate:>9,.0f}/s  {wall * each:7.3f} ms wall  {cpu * each:7.3f} ms CPU")


def raw_commits(path: Path, synchronous: str, count: int = 2_000) -> None:
    """One row, one commit, nothing else: what the disk and sqlite3 allow."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT, b TEXT) WITHOUT ROWID")
    with Meter(f"raw sqlite3 commit, {synchronous}", count):
        for number in range(count):
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO t VALUES (?, ?, ?)", (f"w.{number}", PAYLOAD, "resolved"))
            db.execute("COMMIT")
    db.close()


def ask(network, *requests):
    """Send and wait."""
    event, answers = threading.Event(), []
    network.submit(requests, lambda responses: (answers.extend(responses), event.set()))
    event.wait()
    assert all(one.status == 200 for one in answers), answers
    return answers


def step(task: str, number: int) -> FenceSettled:
    return FenceSettled(task, 1, PromiseCreate(f"{task}.{number}", FAR_MS, tags=TAGS), "resolved", Value(data=PAYLOAD))


def hold(network, task: str) -> None:
    tags = {"resonate:target": network.anycast, "resonate:branch": task}
    ask(network, TaskCreate("bench", 3_600_000, PromiseCreate(task, FAR_MS, tags=tags)))


def sequential(url: str, synchronous: str, label: str, count: int = 2_000) -> None:
    network = open_network(url, group="g", synchronous=synchronous)
    hold(network, "w")
    with Meter(f"sequential steps, {label}", count):
        for number in range(count):
            ask(network, step("w", number))
    network.stop()


def concurrent(url: str, threads: int = 16, count: int = 500) -> None:
    network = open_network(url, group="g")
    for number in range(threads):
        hold(network, f"t{number}")

    def work(name: str) -> None:
        for number in range(count):
            ask(network, step(name, number))

    workers = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(threads)]
    with Meter(f"steps from {threads} threads, file", threads * count):
        for one in workers:
            one.start()
        for one in workers:
            one.join()
    network.stop()


def pipelined(url: str, count: int = 20_000) -> None:
    network = open_network(url, group="g")
    hold(network, "w")
    done = threading.Event()
    left = [count]

    def answered(_: object) -> None:
        left[0] -= 1
        if not left[0]:
            done.set()

    with Meter("steps submitted without waiting, file", count):
        for number in range(count):
            network.submit([step("w", number)], answered)
        done.wait()
    network.stop()


def messages(url: str, count: int = 20_000) -> None:
    network = open_network(url, group="g")
    hold(network, "w")

    def append(number: int) -> MessageAppend:
        return MessageAppend("w", Value({"resonate:message": f"m{number}"}, PAYLOAD), FAR_MS)

    with Meter("messages, the first 1,000, 100 in a commit", 1_000):
        for first in range(0, 1_000, 100):
            ask(network, *[append(number) for number in range(first, first + 100)])
    for first in range(1_000, count, 1_000):
        ask(network, *[append(number) for number in range(first, first + 1_000)])
    with Meter(f"messages after {count:,}, 100 in a commit", 1_000):
        for first in range(count, count + 1_000, 100):
            ask(network, *[append(number) for number in range(first, first + 100)])
    network.stop()


def preload(url: str, count: int = 10_000) -> None:
    network = open_network(url, group="g")
    hold(network, "w")
    for first in range(0, count, 1_000):
        ask(network, *[step("w", number) for number in range(first, first + 1_000)])
    ask(network, TaskRelease("w", 1))
    with Meter(f"acquire with a preload of {count:,}, per child", count):
        answer = ask(network, TaskAcquire("w", 1, "bench", 60_000))[0]
    assert len(answer.preload) == count
    network.stop()


def main() -> None:
    base = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=base) as made:
        directory = Path(made)
        for synchronous in ("FULL", "NORMAL"):
            raw_commits(directory / f"raw-{synchronous}.db", synchronous)
            sequential(f"sqlite:///{directory}/{synchronous}.db", synchronous, f"file, {synchronous}")
        sequential("memory:", "FULL", "memory")
        concurrent(f"sqlite:///{directory}/threads.db")
        pipelined(f"sqlite:///{directory}/pipe.db")
        messages(f"sqlite:///{directory}/inbox.db")
        preload(f"sqlite:///{directory}/wide.db")


if __name__ == "__main__":
    main()
