"""Inboxes where a server knows only promises: no message lost, none twice, none behind the end."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from resonate_core import Resonate
from resonate_core.network.http import HttpNetwork
from resonate_core.protocol.records import Value
from resonate_core.protocol.requests import (
    FulfillIfRead,
    MessageAppend,
    PromiseCreate,
    PromiseGet,
    PromiseSettle,
    TaskCreate,
    TaskGet,
)
from tests.interop import programs

SECONDS = 15
FAR = 2**50


def ask(network, *requests):
    answers = []
    done = threading.Event()
    network.submit(list(requests), lambda responses: (answers.extend(responses), done.set()))
    assert done.wait(SECONDS)
    return answers


def message(id):
    return Value({"resonate:message": id}, "MQ==")


@pytest.fixture
def network(server_url):
    connection = HttpNetwork(server_url, group=f"g{uuid.uuid4().hex[:8]}", pid="p")
    yield connection
    connection.stop()


@pytest.fixture
def held(network):
    id = uuid.uuid4().hex[:12]
    tags = {"resonate:target": network.anycast, "resonate:origin": id, "resonate:branch": id}
    assert ask(network, TaskCreate("p", 60_000, PromiseCreate(id, FAR, tags=tags)))[0].is_ok
    return id


def slots_of(answers):
    return [answer.promise.id.rpartition(".")[2] for answer in answers]


def test_messages_take_slots_in_order_and_a_repeated_one_its_own(network, held):
    answers = [ask(network, MessageAppend(held, message(id), FAR))[0] for id in ("a", "b", "a", "c", "b")]
    assert slots_of(answers) == ["0", "1", "0", "2", "1"]


def test_message_sent_again_by_a_process_that_knows_nothing_finds_its_slot(network, held, server_url):
    for number in range(20):
        ask(network, MessageAppend(held, message(f"m{number}"), FAR))
    other = HttpNetwork(server_url, group=network.group, pid="q")
    assert slots_of(ask(other, MessageAppend(held, message("m7"), FAR))) == ["7"]
    assert slots_of(ask(other, MessageAppend(held, message("new"), FAR))) == ["20"]
    other.stop()


def test_message_for_nobody_is_404_and_for_a_finished_one_409(network, held):
    assert ask(network, MessageAppend("nobody", message("a"), FAR))[0].status == 404
    ask(network, MessageAppend(held, message("a"), FAR))
    ask(network, PromiseSettle(held, "resolved"))
    assert ask(network, MessageAppend(held, message("b"), FAR))[0].status == 409
    assert slots_of(ask(network, MessageAppend(held, message("a"), FAR))) == ["0"]


def test_execution_does_not_end_over_a_message_that_was_not_read(network, held):
    ask(network, MessageAppend(held, message("a"), FAR))
    end = PromiseSettle(held, "resolved", Value(None, "MQ=="))
    assert ask(network, FulfillIfRead(held, 1, end, 0))[0].status == 300
    assert ask(network, PromiseGet(held))[0].promise.state == "pending"
    assert ask(network, FulfillIfRead(held, 1, end, 1))[0].status == 200
    assert ask(network, PromiseGet(held))[0].promise.state == "resolved"
    assert ask(network, TaskGet(held))[0].task.state == "fulfilled"


def test_execution_ends_only_for_who_holds_it(network, held):
    end = PromiseSettle(held, "resolved")
    assert ask(network, FulfillIfRead(held, 7, end, 0))[0].status == 409
    assert slots_of(ask(network, MessageAppend(held, message("a"), FAR))) == ["0"]


def test_closed_inbox_takes_nothing_and_its_execution_ends_when_tried_again(network, held, server_url):
    mark = Value({"resonate:message": "closed"})
    tags = {"resonate:origin": held}
    ask(
        network,
        PromiseCreate(f"{held}.inbox.0", FAR, tags=tags),
        PromiseSettle(f"{held}.inbox.0", "rejected_canceled", mark),
    )
    other = HttpNetwork(server_url, group=network.group, pid="q")
    if not is_own(other):
        assert ask(other, MessageAppend(held, message("a"), FAR))[0].status == 409
    other.stop()
    assert ask(network, FulfillIfRead(held, 1, PromiseSettle(held, "resolved"), 1))[0].is_ok


def is_own(network):
    """Say whether the server closes inboxes by itself, in one transaction."""
    ask(network, PromiseGet("x"))
    return network._dialect.is_own


def test_many_senders_at_once_lose_nothing_and_double_nothing(server_url):
    group = f"g{uuid.uuid4().hex[:8]}"
    clients = [Resonate(server_url, group=f"{group}-{number}") for number in range(3)]
    with Resonate(server_url, group=group) as resonate:
        resonate.register(*programs.ALL)
        handle = resonate.begin_run(group, programs.Basket)
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda number: clients[number % 3].signal(group, "put", number), range(60)))
        handle.signal("close")
        assert sorted(handle.result(timeout=SECONDS)) == list(range(60))
    for client in clients:
        client.stop()
