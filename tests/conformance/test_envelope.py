"""Section A: what stands around a request on the wire."""

from __future__ import annotations

import json

import pytest

from tests.conformance.over_http import OverHttp

NOW = 100
HEAD = {"corrId": "c-7", "version": "2026-04-01"}
CREATE = {"id": "p", "timeoutAt": 900}


@pytest.fixture(scope="module")
def system():
    made = OverHttp(now_ms=NOW)
    yield made
    made.close()


def envelope(kind="promise.create", head=HEAD, data=CREATE, **more):
    return json.dumps({"kind": kind, "head": head, "data": data, **more}).encode()


@pytest.mark.parametrize(
    ("body", "kind", "correlation"),
    [
        pytest.param(b"{", "unknown", "0", id="A1 no JSON"),
        pytest.param(b"[]", "unknown", "0", id="A1 a list"),
        pytest.param(envelope(kind=""), None, "c-7", id="A2 empty kind"),
        pytest.param(envelope(head={"version": "2026-04-01"}), "promise.create", None, id="A3 no corrId"),
        pytest.param(envelope(head={**HEAD, "corrId": 7}), "promise.create", None, id="A3 a number as corrId"),
        pytest.param(b'{"kind": "promise.get", "data": {"id": "p"}}', "promise.get", None, id="A3 no head"),
        pytest.param(envelope(head={**HEAD, "version": "1"}), "promise.create", "c-7", id="A4 another version"),
        pytest.param(envelope(data=["p"]), "promise.create", "c-7", id="A5 data is a list"),
        pytest.param(envelope(data="p"), "promise.create", "c-7", id="A5 data is text"),
        pytest.param(envelope(kind="promise.destroy"), "promise.destroy", "c-7", id="A6 unknown kind"),
        pytest.param(envelope(data={**CREATE, "tags": {"a": 1}}), "promise.create", "c-7", id="A11 a number as tag"),
        pytest.param(envelope(data={**CREATE, "timeoutAt": 5.0}), "promise.create", "c-7", id="A12 a float"),
        pytest.param(envelope(data={**CREATE, "timeoutAt": "5"}), "promise.create", "c-7", id="A12 text"),
        pytest.param(envelope(data={**CREATE, "param": None}), "promise.create", "c-7", id="A13 no param"),
    ],
)
def test_malformed_envelope_is_refused_with_what_could_be_read(system, body, kind, correlation):
    status, answer = system.post(body)
    assert (status, answer["head"]["status"]) == (400, 400)
    assert isinstance(answer["data"], str), "A8"
    if kind is not None:
        assert answer["kind"] == kind
    if correlation is not None:
        assert answer["head"]["corrId"] == correlation


@pytest.mark.parametrize(("id", "status"), [("known", 200), ("unknown", 404)])
def test_kind_and_correlation_come_back_on_success_and_on_error(system, id, status):
    system.post(envelope(data={**CREATE, "id": "known"}))
    found, answer = system.post(envelope("promise.get", data={"id": id}))
    assert (found, answer["head"]["status"]) == (status, status), "A9"
    assert (answer["kind"], answer["head"]["corrId"]) == ("promise.get", "c-7"), "A7"
    assert isinstance(answer["data"], dict if status == 200 else str), "A8"


def test_300_of_a_suspend_is_the_status_of_http_too(system):
    tags = {"resonate:target": "poll://any@g"}
    create = {"kind": "promise.create", "head": {}, "data": {"id": "w", "timeoutAt": 900, "tags": tags}}
    system.post(envelope("task.create", data={"pid": "w1", "ttl": 50, "action": create}))
    system.post(envelope(data={"id": "over", "timeoutAt": 1}))
    callback = {"kind": "promise.register_callback", "head": {}, "data": {"awaited": "over", "awaiter": "w"}}
    status, answer = system.post(envelope("task.suspend", data={"id": "w", "version": 1, "actions": [callback]}))
    assert (status, answer["head"]["status"]) == (300, 300)
    assert [one["id"] for one in answer["data"]["preload"]] == ["over"]


def test_members_that_nobody_knows_are_ignored(system):
    data = {**CREATE, "id": "more", "colour": "red"}
    status, _ = system.post(envelope(head={**HEAD, "mood": "good"}, data=data, extra=1))
    assert status == 200, "A10"


@pytest.mark.parametrize("path", ["/promises/x", "/promises", "/tasks/claim", "/schedules"])
def test_paths_of_the_older_protocol_are_gone(system, path):
    status, answer = system.post(b"{}", path)
    assert status == 410, "A14"
    assert "error" in answer
