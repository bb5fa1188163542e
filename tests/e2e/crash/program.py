"""A worker that kills itself at the n-th commit: ``program.py FILE TRACE before|after N`` (N = 0: lives)."""

from __future__ import annotations

import os
import signal as signals
import sys
from pathlib import Path

from resonate_core import Backoff, Resonate, durable, entry, signal, step
from resonate_core.store.sqlite import SqliteStore

FILE, TRACE, WHEN, NUMBER = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def trace(line: str) -> None:
    with Path(TRACE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


@step(retry_policy=Backoff(0.01))
def charge(order: str, index: int) -> str:
    trace(f"{order}/{index}")
    return f"{order}-{index}-{os.getpid()}"


@durable()
def ship(ctx, order):
    return (yield ctx.run(charge, order, 100))


@durable(name="Orders")
class Orders:
    def __init__(self):
        self.notes = []

    @entry
    def run(self, ctx, order):
        receipts = []
        for index in range(2):
            receipts.append((yield ctx.run(charge, order, index)))
        yield ctx.wait_until(lambda: len(self.notes) == 3)
        promises = []
        for index in range(10, 13):
            promises.append((yield ctx.begin_run(charge, order, index)))
        for promise in promises:
            receipts.append((yield promise))
        receipts.append((yield ctx.rpc(ship, order)))
        yield ctx.sleep(0.01)
        return receipts, self.notes

    @signal
    def note(self, what):
        self.notes.append(what)


@durable()
def sender(ctx, to):
    for index in range(3):
        yield ctx.signal(to, "note", index)


def die_at(number: int, when: str) -> None:
    commit, count = SqliteStore.commit, [0]

    def counted(self):
        count[0] += 1
        if when == "before" and count[0] == number:
            os.kill(os.getpid(), signals.SIGKILL)
        commit(self)
        if when == "after" and count[0] == number:
            os.kill(os.getpid(), signals.SIGKILL)

    SqliteStore.commit = counted


if NUMBER:
    die_at(NUMBER, WHEN)
with Resonate(f"sqlite:///{FILE}", ttl=0.2, synchronous="NORMAL") as resonate:
    resonate.register_all()
    resonate.begin_rpc("order", Orders, "order")
    resonate.begin_rpc("sender", sender, "order")
    receipts, notes = resonate.get("order").result(30)
    resonate.get("sender").result(30)
    print(len(receipts), notes)
