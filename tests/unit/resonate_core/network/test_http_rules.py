"""What is decided without a server: tags, origins, names, URLs."""

from __future__ import annotations

import pytest

from resonate_core import Resonate
from resonate_core.errors import UsageError
from resonate_core.network.dialect import COLON, DATABASE, MAIN, OWN, RELEASED, announce, detect, origin_of
from resonate_core.network.http import HttpNetwork
from resonate_core.network.http_adapt import NOBODY, adapted
from resonate_core.network.http_inbox import CLOSED, MESSAGE_HEADER, is_end
from resonate_core.network.link import Reply
from resonate_core.protocol.addresses import plain_name
from resonate_core.protocol.records import PromiseRecord, Value
from resonate_core.protocol.requests import PromiseCreate, PromiseSearch, Response
from resonate_core.serve.guard import Guard


def tags(origin, branch, parent):
    return {"resonate:origin": origin, "resonate:branch": branch, "resonate:parent": parent}


def test_timer_without_target_gets_one_where_nobody_listens():
    create = PromiseCreate("a.1", 5, tags={"resonate:timer": "true"})
    assert adapted(create, RELEASED).tags == {"resonate:timer": "true", "resonate:target": NOBODY}


def test_timer_with_target_keeps_it():
    create = PromiseCreate("a.1", 5, tags={"resonate:timer": "true", "resonate:target": "poll://any@g"})
    assert adapted(create, RELEASED) is create


def test_root_with_dots_belongs_to_the_origin_that_its_id_says():
    create = PromiseCreate("a.b.1", 5, tags=tags("a.b", "a.b", "a.b"))
    assert adapted(create, MAIN).tags == tags("a", "a.b", "a.b")
    assert adapted(create, RELEASED) is create


def test_parent_that_an_id_does_not_extend_becomes_the_origin():
    create = PromiseCreate("a.f00.1", 5, tags=tags("a", "a.f00.1", "a.1.1.1"))
    assert adapted(create, MAIN).tags == tags("a", "a.f00.1", "a")


@pytest.mark.parametrize(("id", "origin"), [("a", "a"), ("a.1.2", "a"), ("a/b.1", "a/b"), ("a:1", "a:1")])
def test_origin_of_id_ends_at_the_first_dot(id, origin):
    assert origin_of(id) == origin


def test_end_of_inbox_is_a_canceled_slot_with_our_mark():
    mark = Value({MESSAGE_HEADER: CLOSED})
    assert is_end(PromiseRecord("e.inbox.0", "rejected_canceled", 9, 1, value=mark))
    assert not is_end(PromiseRecord("e.inbox.0", "resolved", 9, 1, value=mark))
    assert not is_end(PromiseRecord("e.inbox.0", "rejected_canceled", 9, 1))


@pytest.mark.parametrize(
    "url", ["http://", "http:///x", "ftp://h", "http://h:0", "http://h:x", "http://h/?a=b", "http://u:p@h"]
)
def test_url_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="not supported"):
        HttpNetwork(url, group="g", pid="p")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a@b", "-a", "ä"])
def test_pid_that_no_address_can_hold_is_refused(name):
    with pytest.raises(UsageError, match="pid"):
        HttpNetwork("http://h", group="g", pid=name)


def test_group_of_any_name_has_an_address_and_none_is_refused():
    network = HttpNetwork("http://h", group="orders: Köln/1", pid="p")
    network.stop()
    assert network.anycast == "poll://any@orders_x3A_x20K_xC3_xB6ln_x2F1"
    assert network.address("orders: Köln/1") == network.anycast
    assert network.address("poll://any@as it is") == "poll://any@as it is"
    with pytest.raises(UsageError, match="group"):
        HttpNetwork("http://h", group="", pid="p")


def test_two_groups_never_share_an_address():
    names = ["a:b", "a_x3Ab", "a_x5Fx3Ab", "a_b", "a_xzb", "a.b", "a-b", "a b"]
    plain = [plain_name(name) for name in names]
    assert len(set(plain)) == len(names)
    assert [name for name in names if plain_name(name) == name] == ["a_b", "a_xzb", "a.b", "a-b"]


def test_guard_compares_what_no_header_can_hold():
    guard = Guard("tökén")
    assert guard.admits({}, "tökén")
    assert not guard.admits({"Authorization": "Bearer \udcff"}, "\ud800")
    assert not guard.admits({"Authorization": ""}, "")


class Line:
    """Answers a probe as one kind of server would."""

    url = "http://h"

    def __init__(self, colon, dotted, *, is_own=False, search=200):
        self._statuses = {":": colon, ".": dotted}
        self._is_own = is_own
        self._search = search

    async def reply(self, request, *, is_spelled=False):
        assert is_spelled
        if isinstance(request, PromiseSearch):
            return Reply([Response(self._search)])
        sign = "." if request.awaited.endswith(".1") else ":"
        status = self._statuses[sign]
        return Reply([Response(status, error="cut" if status == 0 else "no")], is_own=self._is_own)


@pytest.mark.parametrize(
    ("line", "dialect"),
    [
        (Line(404, 404), RELEASED),
        (Line(404, 404, search=501), DATABASE),
        (Line(404, 404, search=0), RELEASED),
        (Line(400, 404), MAIN),
        (Line(404, 400), COLON),
        (Line(404, 404, is_own=True), OWN),
    ],
)
async def test_server_is_told_by_how_it_refuses(line, dialect):
    assert await detect(line) == dialect


@pytest.mark.parametrize(
    ("line", "why"), [(Line(404, 0), "cut"), (Line(0, 404), "cut"), (Line(500, 404), "no known server")]
)
async def test_server_that_cannot_be_told_is_asked_again_later(line, why):
    found = await detect(line)
    assert isinstance(found, str)
    assert why in found


@pytest.mark.parametrize(
    ("dialect", "words"), [(MAIN, "bridge"), (COLON, "root.1 here is named root:1"), (DATABASE, "cannot search")]
)
def test_what_a_user_has_to_know_of_a_server_is_said_in_one_sentence(dialect, words, caplog):
    announce(Line(404, 400), dialect)
    assert words in caplog.text


def test_remote_client_takes_url_and_token_from_the_environment(monkeypatch):
    monkeypatch.setenv("RESONATE_URL", "http://there:1")
    monkeypatch.setenv("RESONATE_TOKEN", "t")
    settings = Resonate.remote()._engine.settings
    assert (settings.url, settings.token) == ("http://there:1", "t")
    settings = Resonate.remote("http://here:2", token="own")._engine.settings
    assert (settings.url, settings.token) == ("http://here:2", "own")


def test_remote_client_without_an_environment_asks_the_usual_port(monkeypatch):
    monkeypatch.delenv("RESONATE_URL", raising=False)
    monkeypatch.delenv("RESONATE_TOKEN", raising=False)
    settings = Resonate.remote()._engine.settings
    assert (settings.url, settings.token) == ("http://localhost:8001", None)
