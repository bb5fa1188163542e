"""Ids on servers that split them at a colon: each has one spelling, each spelling is one id."""

from __future__ import annotations

import random

import pytest

from resonate_core.network.spelling import SPELLING, spell, unspell
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import PromiseRecord, ScheduleRecord, TaskRecord

PAIRS = [
    ("root", "root"),
    ("root.1", "root:1"),
    ("root.1.2", "root:1.2"),
    ("a.b:c", "a:b%3Ac"),
    ("a:b", "a%3Ab"),
    ("50%.1", "50%25:1"),
    ("%3A", "%253A"),
]


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_id_has_its_spelling_and_comes_back(here, there):
    assert spell(here) == there
    assert unspell(there) == here


def test_ids_of_any_signs_come_back_and_never_meet():
    chances = random.Random(5)
    ids = {"".join(chances.choice("ab.:%3A25") for _ in range(chances.randrange(1, 9))) for _ in range(5_000)}
    spelled = {spell(id): id for id in ids}
    assert len(spelled) == len(ids)
    assert all(unspell(there) == here for there, here in spelled.items())
    assert all(there.count(":") <= 1 for there in spelled)


def test_request_is_translated_in_every_place_that_names_something_and_in_no_other():
    tags = {"resonate:origin": "a", "resonate:branch": "a.1", "mine": "a.1", "resonate:target": "poll://any@g.1"}
    create = r.PromiseCreate("a.1.2", 5, tags=tags)
    fence = SPELLING.outward(r.TaskFence("a.1", 3, create))
    assert (fence.id, fence.version, fence.action.id) == ("a:1", 3, "a:1.2")
    assert fence.action.tags == {**tags, "resonate:branch": "a:1"}


def test_lists_of_ids_are_translated():
    suspend = SPELLING.outward(r.TaskSuspend("a.1", 1, [r.PromiseRegisterCallback("a.1.2", "a.1")]))
    assert [(action.awaited, action.awaiter) for action in suspend.actions] == [("a:1.2", "a:1")]
    beat = SPELLING.outward(r.TaskHeartbeat("p", [r.HeartbeatTask("a.1", 1)]))
    assert beat.tasks == [r.HeartbeatTask("a:1", 1)]
    assert SPELLING.outward(r.PromiseSearch(tags={"resonate:branch": "a.1"}, cursor="x:1")).cursor == "x:1"


@pytest.mark.parametrize(
    ("here", "there"),
    [("{{.id}}-{{.timestamp}}", "{{.id}}-{{.timestamp}}"), ("s.{{.timestamp}}.x", "s:{{.timestamp}}.x")],
)
def test_template_of_a_schedule_keeps_what_the_server_puts_in(here, there):
    create = r.ScheduleCreate("s", "* * * * *", here, 5)
    assert SPELLING.outward(create).promise_id == there
    back = SPELLING.inward(r.Response(200, schedule=ScheduleRecord("s", "* * * * *", there, 5, 0, 0)))
    assert back.schedule.promise_id == here


def test_response_and_messages_come_back_as_ids_of_ours():
    record = PromiseRecord("a:1", "pending", 9, 1, tags={"resonate:origin": "a", "resonate:parent": "a:1"})
    found = SPELLING.inward(
        r.Response(200, promise=record, promises=(record,), preload=(record,), tasks=(TaskRecord("a:1", "pending", 0),))
    )
    assert {found.promise.id, found.promises[0].id, found.preload[0].id, found.tasks[0].id} == {"a.1"}
    assert found.promise.tags["resonate:parent"] == "a.1"
    assert SPELLING.message(r.Execute("a:1", 2)) == r.Execute("a.1", 2)
    assert SPELLING.message(r.Unblock(record)).promise.id == "a.1"
