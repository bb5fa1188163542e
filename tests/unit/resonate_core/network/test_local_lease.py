"""Tasks that the embedded server acquires in the name of its own process's workers, in the commit that offers them."""

import pytest

from resonate_core.clock import VirtualClock
from resonate_core.network.local import LocalNetwork
from resonate_core.network.local_server import LocalServer
from resonate_core.network.port import Lease
from resonate_core.protocol.requests import (
    Acquired,
    Execute,
    PromiseCreate,
    PromiseRegisterCallback,
    PromiseSettle,
    TaskCreate,
    TaskGet,
    TaskSuspend,
)
from resonate_core.store.memory import MemoryStore
from resonate_core.store.sqlite import SqliteStore

FAR = 8_640_000_000
TARGET = {"resonate:target": "poll://any@g"}


@pytest.fixture(params=["memory", "sqlite"])
def server(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "a.db", synchronous="NORMAL")
    made = LocalServer(store, VirtualClock(100), inline=True)
    yield made
    made.close()


def ask(server, *requests):
    answers = []
    server.submit(requests, answers.extend)
    return answers


def join(server, *, room=True, is_worker=True):
    received = []
    network = LocalNetwork(server, group="g", pid="w1")
    network.start(received.append, is_worker=is_worker, lease=Lease(5_000, lambda: room))
    return received


def state(server, id):
    task = ask(server, TaskGet(id))[0].task
    return task.state, task.version


def test_new_task_is_acquired_with_its_offer(server):
    received = join(server)
    ask(server, PromiseCreate("p", FAR, tags=TARGET))
    server.pump()
    assert [(type(one), one.id) for one in received] == [(Acquired, "p")]
    assert received[0].response.promise.id == "p"
    assert state(server, "p") == ("acquired", 1)


def test_resumed_task_comes_with_what_woke_it(server):
    received = join(server)
    branch = {**TARGET, "resonate:branch": "p"}
    ask(server, TaskCreate("w1", 5_000, PromiseCreate("p", FAR, tags=branch)))
    ask(server, PromiseCreate("awaited", FAR, tags={"resonate:branch": "p"}))
    ask(server, TaskSuspend("p", 1, [PromiseRegisterCallback("awaited", "p")]))
    ask(server, PromiseSettle("awaited", "resolved"))
    server.pump()
    response = received[-1].response
    assert [(one.id, one.state) for one in response.preload] == [("awaited", "resolved")]
    assert response.task.version == 2


def test_worker_without_room_is_only_offered_the_task(server):
    received = join(server, room=False)
    ask(server, PromiseCreate("p", FAR, tags=TARGET))
    server.pump()
    assert received == [Execute("p", 0)]
    assert state(server, "p") == ("pending", 0)


def test_client_gets_no_task(server):
    received = join(server, is_worker=False)
    ask(server, PromiseCreate("p", FAR, tags=TARGET))
    server.pump()
    assert received == []
    assert state(server, "p") == ("pending", 0)


def test_task_that_ends_in_the_same_commit_is_not_acquired(server):
    received = join(server)
    ask(server, PromiseCreate("p", FAR, tags=TARGET), PromiseSettle("p", "resolved"))
    server.pump()
    assert not any(isinstance(one, Acquired) for one in received)
    assert state(server, "p")[0] == "fulfilled"


def test_lease_of_a_task_nobody_took_up_lapses(server):
    join(server)
    ask(server, PromiseCreate("p", FAR, tags=TARGET))
    server.clock.advance(5_000)
    server.run_due()
    assert state(server, "p")[1] == 2, "it was offered again, and acquired again"
