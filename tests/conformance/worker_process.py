"""A process for the tests of several: ``python -m tests.conformance.worker_process ROLE FILE ...``.

``steps FILE N``: hold a task and record local steps one after another, killing itself in the N-th commit.
``worker FILE PID``: execute what comes, until stdin closes.
``chain FILE``: the same, each task with steps and a message, which are not repeated by whoever takes over.
``fork FILE``: fork with the file open, and use it in parent and child.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from resonate_core.network.open import open_network
from resonate_core.protocol.records import Value
from resonate_core.protocol.requests import (
    Execute,
    FenceSettled,
    MessageAppend,
    PromiseCreate,
    PromiseGet,
    PromiseSettle,
    TaskAcquire,
    TaskCreate,
    TaskFence,
    TaskFulfill,
)
from resonate_core.store.sqlite import SqliteStore

FAR = 10**14
LEASE_MS = 400


def ask(network: Any, *requests: Any) -> list[Any]:
    """Send and wait."""
    over, answers = threading.Event(), []
    network.submit(requests, lambda responses: (answers.extend(responses), over.set()))
    assert over.wait(30), requests
    return answers


def kill_in_commit(number: int, *, is_after: bool) -> None:
    """Make this process die, as if the power went, around its n-th commit."""
    count = 0
    commit = SqliteStore.commit

    def counted(store: SqliteStore) -> None:
        nonlocal count
        count += 1
        if count == number and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(store)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteStore.commit = counted  # type: ignore[method-assign]


def steps(path: str, number: int, when: str) -> None:
    """Take or continue the execution ``w`` and record steps; print each that was answered."""
    kill_in_commit(number, is_after=when == "after")
    network: Any = open_network(f"sqlite:///{path}", group="g")
    tags = {"resonate:target": network.anycast, "resonate:branch": "w"}
    found = ask(network, TaskCreate(network.pid, LEASE_MS, PromiseCreate("w", FAR, tags=tags)))[0]
    if found.status != 200:
        print("held", flush=True)
        return
    done = {one.id for one in found.preload}
    for step in range(5):
        if f"w.{step}" in done:
            continue
        create = PromiseCreate(f"w.{step}", FAR, tags={"resonate:branch": "w", "resonate:scope": "local"})
        child = PromiseCreate(f"w.c{step}", FAR, tags={"resonate:target": "poll://any@nobody"})
        answers = ask(
            network,
            FenceSettled("w", found.task.version, create, "resolved", Value(data=str(step))),
            TaskFence("w", found.task.version, child),
            MessageAppend("w", Value({"resonate:message": f"m{step}"}, str(step)), FAR),
        )
        assert [one.status for one in answers] == [200, 200, 200], answers
        print(f"w.{step}", flush=True)
    ask(network, TaskFulfill("w", found.task.version, PromiseSettle("w", "resolved")))
    print("over", flush=True)


def worker(path: str, pid: str) -> None:
    """Execute tasks until stdin closes: one step and the end, the pid as result."""
    network: Any = open_network(f"sqlite:///{path}", group="g", pid=pid)

    def on_message(message: Any) -> None:
        if isinstance(message, Execute):
            network.submit([TaskAcquire(message.id, message.version, pid, LEASE_MS)], on_acquired)

    def on_acquired(answers: Any) -> None:
        if answers[0].status != 200:
            return
        print(f"acquired {answers[0].task.id} {answers[0].task.version}", flush=True)
        settle = PromiseSettle(answers[0].task.id, "resolved", Value(data=pid))
        network.submit([TaskFulfill(answers[0].task.id, answers[0].task.version, settle)], lambda _: None)

    network.start(on_message, is_worker=True)
    ask(network)
    print("ready", flush=True)
    sys.stdin.read()
    network.stop()


class Chain:
    """Executes tasks: six steps, each its own commit, then a message to ``main`` and the end in one."""

    def __init__(self, path: str) -> None:
        self.network: Any = open_network(f"sqlite:///{path}", group="g")
        self.network.start(self.on_message, is_worker=True)
        ask(self.network)

    def on_message(self, message: Any) -> None:
        if isinstance(message, Execute):
            acquire = TaskAcquire(message.id, message.version, self.network.pid, LEASE_MS)
            self.network.submit([acquire], self.on_acquired)

    def on_acquired(self, answers: Any) -> None:
        if answers[0].status == 200:
            task = answers[0].task
            self.go_on(task.id, task.version, {one.id for one in answers[0].preload})

    def go_on(self, id: str, version: int, done: set[str]) -> None:
        step = next((number for number in range(6) if f"{id}.{number}" not in done), None)
        if step is None:
            message = MessageAppend("main", Value({"resonate:message": id}, id), FAR)
            end = TaskFulfill(id, version, PromiseSettle(id, "resolved", Value(data=self.network.pid)))
            self.network.submit([message, end], lambda _: None)
            return
        create = PromiseCreate(f"{id}.{step}", FAR, tags={"resonate:branch": id, "resonate:scope": "local"})
        fence = FenceSettled(id, version, create, "resolved", Value(data=self.network.pid))

        def stored(answers: Any) -> None:
            if answers[0].status == 200:
                self.go_on(id, version, done | {create.id})

        self.network.submit([fence], stored)


def chain(path: str) -> None:
    """Run until stdin closes."""
    running = Chain(path)
    print("ready", flush=True)
    sys.stdin.read()
    running.network.stop()


def fork(path: str) -> None:
    """A child must not touch the connection of its parent: what it has inherited refuses, what it opens works."""
    url = f"sqlite:///{path}"
    network: Any = open_network(url, group="g")
    ask(network, PromiseCreate("before", FAR))
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        print("child", os.waitstatus_to_exitcode(status), flush=True)
        found = ask(network, PromiseCreate("after", FAR), PromiseGet("child"))
        print("parent", [one.status for one in found], flush=True)
        network.stop()
        return
    refused = ask(network, PromiseGet("before"))[0]
    network.stop()
    own: Any = open_network(url, group="g")
    found = ask(own, PromiseGet("before"), PromiseCreate("child", FAR))
    own.stop()
    os._exit(0 if refused.status == 0 and [one.status for one in found] == [200, 200] else 1)


if __name__ == "__main__":
    role, file, *rest = sys.argv[1:]
    assert Path(file).is_absolute()
    if role == "steps":
        steps(file, int(rest[0]), rest[1])
    elif role == "chain":
        chain(file)
    elif role == "fork":
        fork(file)
    else:
        worker(file, rest[0])
