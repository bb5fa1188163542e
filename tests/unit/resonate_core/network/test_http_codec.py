"""Requests, answers and messages survive the wire; what servers write differently is read the same."""

from __future__ import annotations

import json

import msgspec
import pytest

from resonate_core.network.http_requests import read_request, request_data, write_request, write_series
from resonate_core.network.http_responses import (
    UnreadableError,
    answer_data,
    message_data,
    read_answer,
    read_message,
    read_series,
)
from resonate_core.network.http_wire import MalformedError, answer_head, read_envelope, write_envelope
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import PromiseRecord, ScheduleRecord, TaskRecord, Value

CREATE = r.PromiseCreate("p.1", 5, Value({"h": "é"}, "x"), {"a": "b"})
SETTLE = r.PromiseSettle("p", "resolved", Value(None, ""))
PROMISE = PromiseRecord("p", "resolved", 9, 1, Value({}, "x"), Value(None, "y"), {"t": "u"}, 5)
OPEN = PromiseRecord("q", "pending", 9, 1)
TASK = TaskRecord("p", "acquired", 3, 2, 1000, "w")
SCHEDULE = ScheduleRecord("s", "* * * * *", "{{.id}}", 5, 1, 2, Value(None, "x"), {"a": "b"}, 1)

REQUESTS = [
    r.PromiseGet("p"),
    CREATE,
    SETTLE,
    r.PromiseRegisterCallback("a", "b"),
    r.PromiseRegisterListener("a", "poll://uni@g/p"),
    r.PromiseSearch("pending", {"a": "b"}, 5, "c"),
    r.PromiseSearch(),
    r.TaskGet("t"),
    r.TaskCreate("w", 1000, CREATE),
    r.TaskAcquire("t", 1, "w", 1000),
    r.TaskFence("t", 1, CREATE),
    r.TaskFence("t", 1, SETTLE),
    r.FenceSettled("t", 1, CREATE, "rejected", Value(None, "x")),
    r.MessageAppend("t", Value({"resonate:message": "m"}), 5, 2),
    r.TaskHeartbeat("w", [r.HeartbeatTask("t", 1)]),
    r.TaskSuspend("t", 1, [r.PromiseRegisterCallback("a", "t")]),
    r.TaskFulfill("t", 1, r.PromiseSettle("t", "rejected")),
    r.FulfillIfRead("t", 1, r.PromiseSettle("t", "resolved"), 4),
    r.TaskRelease("t", 1),
    r.TaskHalt("t"),
    r.TaskContinue("t"),
    r.TaskSearch("pending", 5, "c"),
    r.ScheduleCreate("s", "* * * * *", "{{.id}}", 5, Value(None, "x"), {"a": "b"}),
    r.ScheduleGet("s"),
    r.ScheduleDelete("s"),
    r.ScheduleSearch({"a": "b"}, 5, "c"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: type(one).__name__)
def test_request_over_the_wire_is_itself(request_):
    envelope = read_envelope(write_request(request_, "c-1", "secret"))
    assert (envelope.correlation_id, envelope.auth) == ("c-1", "secret")
    assert read_request(envelope.kind, envelope.data) == request_


def test_series_over_the_wire_is_itself():
    envelope = read_envelope(write_series(REQUESTS, "c-1", None, atomic=True))
    series = read_request(envelope.kind, envelope.data)
    assert (series.requests, series.is_atomic) == (REQUESTS, True)


def test_every_kind_of_request_is_tested():
    assert {type(one) for one in REQUESTS} == set(r.Request.__args__)


ANSWERS = [
    (r.PromiseGet("p"), r.Response(200, promise=PROMISE)),
    (r.PromiseGet("q"), r.Response(200, promise=OPEN)),
    (r.PromiseSearch(), r.Response(200, promises=(PROMISE, OPEN), cursor="q")),
    (r.TaskGet("p"), r.Response(200, task=TASK)),
    (r.TaskAcquire("p", 2, "w", 9), r.Response(200, promise=PROMISE, task=TASK, preload=(OPEN,))),
    (r.TaskFence("t", 1, CREATE), r.Response(200, promise=OPEN)),
    (r.TaskSuspend("t", 1, []), r.Response(200)),
    (r.TaskSuspend("t", 1, []), r.Response(300, preload=(PROMISE,))),
    (r.FulfillIfRead("t", 1, SETTLE, 0), r.Response(300)),
    (r.TaskSearch(), r.Response(200, tasks=(TASK,))),
    (r.ScheduleSearch(), r.Response(200, schedules=(SCHEDULE,), cursor="s")),
    (r.ScheduleGet("s"), r.Response(200, schedule=SCHEDULE)),
    (r.ScheduleDelete("s"), r.Response(200)),
    (r.PromiseGet("p"), r.Response(404, error="not here")),
]


@pytest.mark.parametrize(("request_", "response"), ANSWERS)
def test_answer_over_the_wire_is_itself(request_, response):
    status, data = answer_data(request_, response, "c")
    body = write_envelope("k", answer_head("c", status), data)
    assert read_answer(body, "k", "c") == response


def test_fence_on_unknown_promise_keeps_its_inner_status():
    response = r.Response(404, task=TASK, error="promise is not here")
    status, data = answer_data(r.TaskFence("t", 1, SETTLE), response, "c")
    assert (status, data["action"]["head"]["status"]) == (200, 404)
    body = write_envelope("task.fence", answer_head("c", status), data)
    assert read_answer(body, "task.fence", "c") == r.Response(404, error="promise is not here")


def test_answer_of_a_failed_store_is_500():
    assert answer_data(r.PromiseGet("p"), r.Response(0, error="disk full"), "c") == (500, "disk full")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("promise.create", {"id": "p", "timeoutAt": 5.0}),
        ("promise.create", {"id": "p", "timeoutAt": "5"}),
        ("promise.create", {"id": "p", "timeoutAt": 2**63}),
        ("promise.create", {"id": "p", "timeoutAt": 5, "tags": None}),
        ("promise.create", {"id": "p", "timeoutAt": 5, "tags": {"a": 1}}),
        ("promise.create", {"id": "p", "timeoutAt": 5, "param": None}),
        ("promise.create", {"id": "p", "timeoutAt": 5, "param": {"data": 5}}),
        ("promise.create", {"id": "", "timeoutAt": 5}),
        ("promise.create", {"id": "a\0", "timeoutAt": 5}),
        ("promise.create", {"timeoutAt": 5}),
        ("promise.get", {"id": ""}),
        ("promise.settle", {"id": "p", "state": "pending"}),
        ("promise.settle", {"id": "p", "state": "rejected_timedout"}),
        ("task.create", {"pid": "w", "ttl": 1, "action": {"kind": "k", "data": {"id": "p", "timeoutAt": 5}}}),
        ("task.fulfill", {"id": "t", "version": 1, "action": {"head": {}, "data": {"id": "t", "state": "resolved"}}}),
        ("task.fence", {"id": "t", "version": 1, "action": {"kind": "promise.get", "head": {}, "data": {"id": "p"}}}),
        ("task.fence", {"id": "t", "version": 1, "action": {"kind": "promise.create", "head": {}, "data": {}}}),
        ("nothing.known", {}),
        ("x.series", {"requests": [{"kind": "x.series", "data": {"requests": []}}]}),
    ],
)
def test_malformed_data_is_refused_with_400(kind, data):
    with pytest.raises(MalformedError) as refused:
        read_request(kind, json.dumps(data).encode())
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("promise.create", {"id": "p", "timeoutAt": 5, "param": {"headers": None, "data": None}, "what": 1}),
        ("task.fence", {"id": "t", "version": 1, "action": {
            "kind": "promise.settle", "data": {"id": "p", "state": "resolved"}}}),
        ("promise.get", {"id": "p", "kind": "anything"}),
    ],
)  # fmt: skip
def test_what_released_servers_accept_is_accepted(kind, data):
    read_request(kind, json.dumps(data).encode())


def test_debug_request_is_forbidden():
    with pytest.raises(MalformedError) as refused:
        read_request("debug.reset", b"{}")
    assert refused.value.status == 403


def answer(data: object, status: int = 200) -> bytes:
    return json.dumps({"kind": "k", "head": {"corrId": "c", "status": status}, "data": data}).encode()


def test_records_of_other_servers_are_read_alike():
    promise = {"id": "p", "state": "pending", "param": None, "value": {"headers": {}, "data": None}, "tags": None,
               "timeoutAt": 9, "createdAt": 1, "settledAt": None}  # fmt: skip
    task = {"id": "p", "state": "pending", "version": 0, "resumes": ["a", "b"], "ttl": None, "pid": None}
    found = read_answer(answer({"promise": promise, "task": task}), "k", "c")
    assert found.promise == PromiseRecord("p", "pending", 9, 1, value=Value({}, None))
    assert found.task == TaskRecord("p", "pending", 0, 2)
    del task["resumes"]
    assert read_answer(answer({"task": task}), "k", "c").task == TaskRecord("p", "pending", 0)


def test_fence_without_inner_head_is_read():
    promise = {"id": "p", "state": "pending", "timeoutAt": 9}
    found = read_answer(answer({"action": {"data": {"promise": promise}}}), "k", "c")
    assert found.promise is not None
    assert found.promise.id == "p"


@pytest.mark.parametrize(
    ("data", "text"), [("no", "no"), ({"error": "no"}, "no"), (None, "refused with 409"), ({}, "refused with 409")]
)
def test_error_is_read_in_every_shape(data, text):
    assert read_answer(answer(data, 409), "k", "c") == r.Response(409, error=text)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"kind":"k"}',
        b'{"kind":"k","head":{"corrId":"c"},"data":{}}',
        b'{"kind":"other","head":{"corrId":"c","status":200},"data":{}}',
        b'{"kind":"k","head":{"corrId":"d","status":200},"data":{}}',
        b'{"kind":"k","head":{"corrId":"c","status":200},"data":{"promise":{"id":1}}}',
    ],
)
def test_what_is_no_answer_is_told_apart(body):
    with pytest.raises(UnreadableError):
        read_answer(body, "k", "c")


def test_series_that_was_refused_has_one_answer():
    assert read_series(answer("bad token", 401), "k", "c") == [r.Response(401, error="bad token")]


@pytest.mark.parametrize("message", [r.Execute("t", 4), r.Unblock(PROMISE), r.Unblock(OPEN)])
def test_message_over_the_wire_is_itself(message):
    assert read_message(message_data(message, "http://h")) == message


@pytest.mark.parametrize(
    "text",
    [b"", b"null", b"[]", b"{}", b'{"kind":"other","head":{},"data":{}}', b'{"kind":"execute","head":{},"data":{}}',
     b'{"kind":"unblock","head":{},"data":{"promise":5}}'],
)  # fmt: skip
def test_message_that_is_none_of_ours_is_passed_over(text):
    assert read_message(text) is None


def test_execute_without_head_is_read():
    assert read_message(b'{"kind":"execute","data":{"task":{"id":"t","version":2}}}') == r.Execute("t", 2)


def test_request_data_leaves_the_request_alone():
    request = r.TaskFence("t", 1, CREATE)
    before = msgspec.json.encode(request)
    request_data(request)
    assert msgspec.json.encode(request) == before
