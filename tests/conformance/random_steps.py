"""Random requests over few ids, so that they meet; the same seed makes the same requests."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, get_args

from resonate_core.machine.lifecycle import is_internal
from resonate_core.protocol.records import Value
from resonate_core.protocol.requests import (
    FulfillIfRead,
    MessageAppend,
    PromiseCreate,
    PromiseSearch,
    Request,
    ScheduleSearch,
    TaskSearch,
)
from tests.conformance import steps as s

if TYPE_CHECKING:
    from collections.abc import Callable

    from resonate_core.protocol.requests import PromiseSettle
    from tests.conformance.invariants import Snapshot

KINDS = get_args(Request)
_ROOTS = ["w", "x"]
_LEAVES = ["a", "b", "c", "w.1", "w.2", "x.1"]
_IDS = [*_ROOTS, *_LEAVES, "w.inbox.0"]
_TEAM = {"team": "a", "role": "b"}
_STATES = ["resolved", "rejected", "rejected_canceled"]


class Maker:
    """Draws requests; looks at what it has been answered, so that versions are often right."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.versions: dict[str, int] = {}
        self.now = s.NOW
        self._epoch = 0
        self._makers: list[Callable[[], Any]] = [
            lambda: s.get(self._id()),
            lambda: s.P(self._leaf(), self._deadline(), **self._tags()),
            lambda: s.T(self._root(), self._deadline(), **self._target_tags()),
            lambda: PromiseCreate(self._leaf(), self.now + 50_000, tags=self._pick([{}, {"team": "a"}, _TEAM])),
            lambda: s.start(self._root(), self.now + 50_000, pid="w1", ttl=60_000, branch="w"),
            lambda: s.settle(self._leaf(), self._state(), self._data()),
            lambda: s.callback(self._id(), self._root()),
            lambda: s.listen(self._id(), self._pick([s.UNI, "poll://uni@g/w2", "nowhere"])),
            lambda: PromiseSearch(self._pick([None, "pending", *_STATES, "rejected_timedout"]), self._query(), 3,
                                  self._pick([None, None, "b", "w.1"])),
            lambda: s.task(self._root()),
            lambda: s.start(self._root(), self._deadline(), pid=self._pid(), ttl=self._ttl(), branch="w"),
            lambda: s.acquire(*self._held(), pid=self._pid(), ttl=self._ttl()),
            lambda: s.fence(*self._held(), s.P(self._leaf(), self._deadline(), **self._tags())),
            lambda: s.fence(*self._held(), s.settle(self._leaf(), self._state(), self._data())),
            lambda: s.local(*self._held(), self._leaf(), self._state(), self._deadline(), branch="w"),
            lambda: MessageAppend(self._root(), Value({"resonate:message": self._pick("mnop")}, self._data()),
                                  self._deadline(), self._pick([0, 0, 0, 1])),
            lambda: s.beat(self._pid(), self._held(), self._held()),
            lambda: s.suspend(*self._held(), *self._some_leaves()),
            lambda: s.suspend(*self._held(), *self._some_leaves()),
            lambda: s.fulfill(*self._held(), self._state()),
            lambda: s.fulfill(*self._held(), self._state()),
            lambda: FulfillIfRead(*self._held_and_ended(), self._pick([0, 1, 9])),
            lambda: s.release(*self._held()),
            lambda: s.halt(self._pick([self._root(), "none", "none"])),
            lambda: s.resume(self._root()),
            lambda: s.resume(self._root()),
            lambda: TaskSearch(self._pick([None, "pending", "acquired", "fulfilled"]), 2, self._pick([None, "w"])),
            lambda: s.schedule(self._pick(["s", "t"]), self._pick(["* * * * *", "*/7 * * * * *", "bad"]),
                               timeout=self._pick([5, 5_000, 500_000])),
            lambda: s.ScheduleGet(self._pick(["s", "t", "none"])),
            lambda: s.ScheduleDelete(self._pick(["s", "t"])),
            lambda: ScheduleSearch(self._pick([{}, {"resonate:target": s.ANY}]), 1, self._pick([None, "s"])),
        ]  # fmt: skip

    def request(self) -> Request:
        """Draw one."""
        return self._pick(self._makers)()

    def series(self, state: Snapshot | None = None) -> list[Request]:
        """Draw some that belong together; half of them by looking at the state, so that most things can happen."""
        if state is not None and state.tasks and self.random.random() < 0.5:
            return [self.fitting(state)]
        return [self.request() for _ in range(self._pick([1, 1, 1, 2, 3]))]

    def fitting(self, state: Snapshot) -> Request:
        """Draw a request that the state of some task allows, as a worker would send it."""
        alive = [id for id, one in state.tasks.items() if one.deadline > state.now and one.state != "fulfilled"]
        task = state.tasks[self._pick(sorted(alive or state.tasks))]
        open_ones = sorted(
            one.id
            for one in state.promises.values()
            if one.state == "pending" and one.timeout_at > state.now and one.id != task.id and not is_internal(one.tags)
        )
        leaf = self._pick(open_ones) if open_ones else self._leaf()
        pid = task.pid or "w1"
        if task.state == "pending":
            return s.acquire(task.id, task.version, ttl=60_000)
        if task.state == "halted":
            return s.resume(task.id)
        if task.state == "suspended":
            awaited = sorted(awaited for awaited, awaiter in state.callbacks if awaiter == task.id)
            return s.settle(self._pick(awaited), self._state(), self._data())
        return self._pick(
            [
                lambda: s.suspend(task.id, task.version, leaf),
                lambda: s.suspend(task.id, task.version, leaf, self._leaf()),
                lambda: s.fence(task.id, task.version, s.P(self._leaf(), self._deadline(), **self._tags())),
                lambda: s.fence(task.id, task.version, s.settle(leaf, self._state())),
                lambda: s.local(task.id, task.version, self._leaf(), self._state(), self.now + 50_000, branch="w"),
                lambda: s.beat(pid, (task.id, task.version)),
                lambda: s.release(task.id, task.version),
                lambda: s.fulfill(task.id, task.version, self._state()),
                lambda: FulfillIfRead(task.id, task.version, s.settle(task.id), self._pick([0, 1])),
            ],
        )()

    def later(self) -> int:
        """Let some time pass: mostly little, at times a lot; then ids are used up, so they get a new ending."""
        step = self._pick([0, 1, 1, 1, 5, 20, s.RETRY_MS, 200, 2_000])
        self.now += step
        if self.random.random() < 0.05:
            self._epoch += 1
        return self.now

    def note(self, response: Any) -> None:
        """Learn the version of a task."""
        if response.task is not None:
            self.versions[response.task.id] = response.task.version

    def _pick(self, options: Any) -> Any:
        return self.random.choice(options)

    def _named(self, id: str) -> str:
        head, dot, rest = id.partition(".")
        return f"{head}{self._epoch}{dot}{rest}"

    def _id(self) -> str:
        return self._named(self._pick(_IDS))

    def _root(self) -> str:
        return self._named(self._pick(_ROOTS))

    def _leaf(self) -> str:
        return self._named(self._pick(_LEAVES))

    def _some_leaves(self) -> list[str]:
        return [self._leaf() for _ in range(self._pick([1, 1, 2, 3]))]

    def _held(self) -> tuple[str, int]:
        id = self._root()
        return id, max(0, self.versions.get(id, 1) + self._pick([0] * 10 + [-1, 1]))

    def _held_and_ended(self) -> tuple[str, int, PromiseSettle]:
        id, version = self._held()
        return id, version, s.settle(id, self._state(), self._data())

    def _deadline(self) -> int:
        return self.now + self._pick([0, 1, 50, 300, 5_000, 50_000, 500_000])

    def _ttl(self) -> int:
        return self._pick([1, 30, 1_000, 60_000])

    def _pid(self) -> str:
        return self._pick(["w1", "w1", "w1", "w2"])

    def _state(self) -> str:
        return self._pick(_STATES)

    def _data(self) -> str | None:
        return self._pick([None, "", "v", "ü"])

    def _tags(self) -> dict[str, str]:
        return self._pick([{}, {"scope": "local", "branch": "w"}, {"timer": "true"}, {"external": "true"},
                           {"scope": "global", "branch": "b"}])  # fmt: skip

    def _target_tags(self) -> dict[str, str]:
        return self._pick([{}, {}, {"branch": "w"}, {"timer": "true"}, {"delay": str(self.now + 20)}])

    def _query(self) -> dict[str, str]:
        return self._pick([{}, {"resonate:branch": "w"}, {"resonate:timer": "true"}, {"resonate:scope": "none"},
                           {"team": "a"}, _TEAM, {"resonate:branch": "w", "team": "a"}])  # fmt: skip
