"""Each property rejects something: a property that nothing breaks says nothing."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from resonate_core.machine.state import Outgoing, TaskRow
from resonate_core.protocol.records import PromiseRecord, ScheduleRecord, Value
from resonate_core.protocol.requests import Execute, Unblock
from tests.conformance.invariants import STATE, STEP, Snapshot, check_state, check_step, o22
from tests.conformance.steps import ANY, RETRY_MS, UNI

NOW = 100
TARGET = {"resonate:target": ANY}


def promise(id, state="pending", **fields):
    fields = {"timeout_at": 900, "created_at": 50} | fields
    return PromiseRecord(id=id, state=state, **fields)


def row(id, state="pending", version=0, **fields):
    fields = {"address": ANY, "deadline": 900} | fields
    return TaskRow(id, state, version, **fields)


def make(*promises, tasks=(), now=NOW, **fields):
    return Snapshot(now, {one.id: one for one in promises}, {one.id: one for one in tasks}, **fields)


held = row("w", "acquired", 1, due_at=NOW + 10, ttl=10, pid="x")
waiting = row("w", "suspended", 1)
offered = row("w", "pending", 1, due_at=NOW + RETRY_MS)
over = row("w", "fulfilled", 1)
w = promise("w", tags=TARGET)
w_done = promise("w", "resolved", settled_at=NOW, tags=TARGET)
a = promise("a")
a_done = promise("a", "resolved", settled_at=NOW)
schedule = ScheduleRecord("s", "* * * * *", "x", 1, created_at=10, next_run_at=200)
execute = Outgoing(ANY, Execute("w", 1))

GOOD = [
    make(),
    make(w, a, tasks=[waiting], callbacks={("a", "w")}, listeners={("a", UNI)}, schedules={"s": schedule}),
    make(w, a_done, tasks=[offered], emitted=[execute]),
    make(w_done, tasks=[over], emitted=[Outgoing(UNI, Unblock(w_done))]),
]

STATE_VIOLATORS = {
    "N1": Snapshot(NOW, {"x": a}),
    "N2": make(promise("a", created_at=900)),
    "N3": make(promise("a", "resolved", settled_at=40)),
    "N4": make(promise("a", "resolved")),
    "N5": make(promise("a", value=Value(data="v"))),
    "N6": make(promise("a", "rejected", timeout_at=90, settled_at=90)),
    "N7": make(promise("a", "rejected_timedout", settled_at=90)),
    "N8": make(w, tasks=[held], callbacks={("w", "w")}),
    "N9": make(w, a_done, tasks=[waiting], callbacks={("a", "w")}),
    "N10": make(w),
    "N11": make(w, tasks=[over]),
    "N12": make(w, tasks=[msgspec.structs.replace(held, pid=None)]),
    "N13": make(w, tasks=[msgspec.structs.replace(offered, due_at=None)]),
    "N14": make(w, a, tasks=[msgspec.structs.replace(waiting, due_at=5)], callbacks={("a", "w")}),
    "N15": make(w, tasks=[msgspec.structs.replace(offered, resumes=("a", "a"))]),
    "N16": make(w, tasks=[msgspec.structs.replace(held, version=0)]),
    "N17": make(a, promise("b"), callbacks={("a", "b")}),
    "N18": make(a, listeners={("a", "nowhere")}),
    "N19": make(w, tasks=[offered], emitted=[Outgoing(ANY, Execute("w", 2))]),
    "N20": make(schedules={"s": msgspec.structs.replace(schedule, last_run_at=200)}),
    "I16": make(w, tasks=[waiting]),
}

ahead = msgspec.structs.replace(offered, due_at=NOW + 3)
linked = make(w, a, tasks=[waiting], callbacks={("a", "w")})
STEP_VIOLATORS = {
    "O1": (make(a), make(promise("a", timeout_at=800))),
    "O2": (make(a_done), make(promise("a", "rejected", settled_at=NOW))),
    "O3": (make(a), make()),
    "O4": (make(w, tasks=[held]), make(w, tasks=[msgspec.structs.replace(offered, version=2)])),
    "O5": (make(w_done, tasks=[over]), make(w_done, tasks=[msgspec.structs.replace(over, last_pid="y")])),
    "O6": (make(w, tasks=[row("w", "halted")]), make(w, tasks=[held])),
    "O9": (linked, replace(linked, callbacks=set())),
    "O10": (linked, make(w, a_done, tasks=[offered])),
    "O11": (make(a, listeners={("a", UNI)}), make(a_done)),
    "O12": (linked, make(w, a, tasks=[offered], callbacks={("a", "w")})),
    "O13": (make(w, tasks=[held]), make(w, tasks=[waiting])),
    "O14": (make(), make(w, tasks=[offered])),
    "O16": (make(w, tasks=[held]), make(w, tasks=[msgspec.structs.replace(held, pid="y")])),
    "O17": (make(w, tasks=[held]), make(w, tasks=[msgspec.structs.replace(held, due_at=NOW + 11)])),
    "O18": (make(w, tasks=[msgspec.structs.replace(held, resumes=("a",))]), make(w, tasks=[offered])),
    "O19": (make(w, tasks=[held]), make(w, tasks=[ahead])),
    "O20": (make(a), make(promise("a", "resolved", settled_at=NOW - 1))),
    "O21": (
        make(promise("w", tags=TARGET, timeout_at=90), tasks=[held]),
        make(promise("w", tags=TARGET, timeout_at=90), tasks=[offered]),
    ),
}


@pytest.mark.parametrize("good", GOOD)
def test_state_of_a_healthy_store_passes(good):
    check_state(good, "here")


@pytest.mark.parametrize("number", STATE)
def test_state_property_with_a_violator_fails_by_its_number(number):
    with pytest.raises(AssertionError, match=f"{number}: "):
        check_state(STATE_VIOLATORS[number], "here")


@pytest.mark.parametrize("number", STEP)
def test_step_property_with_a_violator_fails_by_its_number(number):
    before, after = STEP_VIOLATORS[number]
    with pytest.raises(AssertionError, match=f"{number}: "):
        check_step(before, after, "here")


def test_background_step_that_acquires_fails_by_its_number():
    before, after = make(w, tasks=[msgspec.structs.replace(offered, version=0)]), make(w, tasks=[held])
    check_step(before, after, "here")
    assert list(o22(before, after))
    with pytest.raises(AssertionError, match="O22: "):
        check_step(before, after, "here", is_background=True)
