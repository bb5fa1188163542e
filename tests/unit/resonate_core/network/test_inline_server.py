"""The embedded server without a thread: everything happens when told to."""

import logging
import sqlite3

import pytest

from resonate_core.clock import VirtualClock
from resonate_core.errors import UsageError
from resonate_core.network import local_engine
from resonate_core.network.local import LocalNetwork
from resonate_core.network.local_engine import PAUSE_MS
from resonate_core.network.local_server import POLL_MS, LocalServer
from resonate_core.protocol.requests import (
    Execute,
    HeartbeatTask,
    PromiseCreate,
    PromiseGet,
    PromiseRegisterListener,
    PromiseSettle,
    TaskCreate,
    TaskHeartbeat,
    Unblock,
)
from resonate_core.store.memory import MemoryStore
from resonate_core.store.sqlite import SqliteStore

DAY = 86_400_000
FAR = 100 * DAY


@pytest.fixture(params=["memory", "sqlite"])
def server(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "a.db", synchronous="NORMAL")
    made = LocalServer(store, VirtualClock(100), inline=True)
    yield made
    made.close()


def ask(server, *requests, atomic=False):
    answers = []
    server.submit(requests, answers.extend, atomic=atomic)
    return answers


def join(server, pid="w1", *, group="g", is_worker=True):
    received = []
    network = LocalNetwork(server, group=group, pid=pid)
    network.start(received.append, is_worker=is_worker)
    return network, received


def targeted(id, to="poll://any@g"):
    return PromiseCreate(id, FAR, tags={"resonate:target": to})


def test_series_that_fails_is_answered_to_its_end(server):
    answers = ask(server, PromiseCreate("p", FAR), PromiseGet("none"), PromiseGet("p"), PromiseCreate("q", FAR))
    assert [one.status for one in answers] == [200, 404, 424, 424]
    assert ask(server, PromiseGet("p"))[0].status == 200
    assert ask(server, PromiseGet("q"))[0].status == 404


def test_atomic_series_that_fails_leaves_nothing(server):
    network, received = join(server)
    assert [one.status for one in ask(server, targeted("p"), PromiseGet("none"), atomic=True)] == [200, 404]
    assert ask(server, PromiseGet("p"))[0].status == 404
    server.pump()
    assert received == []
    network.stop()


def test_atomic_series_that_succeeds_stays(server):
    ask(server, PromiseCreate("p", FAR), PromiseSettle("p", "resolved"), atomic=True)
    assert ask(server, PromiseGet("p"))[0].promise.state == "resolved"


def test_empty_series_is_answered(server):
    answers = []
    server.submit([], answers.append)
    assert answers == [[]]


def test_submit_inside_done_comes_after_it(server):
    order = []

    def first(_):
        server.submit([PromiseGet("p")], lambda responses: order.append(responses[0].status))
        order.append("first over")

    server.submit([PromiseCreate("p", FAR)], first)
    assert order == ["first over", 200]


def test_done_that_raises_hurts_nobody_else(server, caplog):
    with caplog.at_level(logging.ERROR):
        server.submit([PromiseCreate("p", FAR)], lambda _: 1 / 0)
    assert "ZeroDivisionError" in caplog.text
    assert ask(server, PromiseGet("p"))[0].status == 200


def test_malformed_request_fails_alone(server, caplog):
    answers = ask(server, PromiseCreate("p", None))
    assert answers[0].status == 0
    assert "TypeError" in answers[0].error
    assert ask(server, PromiseCreate("p", FAR))[0].status == 200


def test_text_that_is_no_text_fails_alone_on_a_file(server):
    answers = ask(server, PromiseCreate("p", FAR, tags={"x": "\ud800"}), PromiseGet("p"))
    assert answers[1].status in (200, 424)
    assert ask(server, PromiseCreate("q", FAR))[0].status == 200


def test_watch_of_a_pending_promise_is_told_once_when_pumped(server):
    seen = []
    ask(server, PromiseCreate("p", FAR))
    server.watch("p", seen.append)
    ask(server, PromiseSettle("p", "resolved"))
    assert seen == []
    server.pump()
    ask(server, PromiseSettle("p", "rejected"))
    server.pump()
    assert [one.state for one in seen] == ["resolved"]


def test_watch_of_a_settled_promise_is_told_later_not_at_once(server):
    seen = []
    ask(server, PromiseCreate("p", 1))
    server.watch("p", seen.append)
    assert seen == []
    assert server.pump() == 1
    assert seen[0].state == "rejected_timedout"


def test_watch_of_an_unknown_promise_waits_for_it(server):
    seen = []
    server.watch("p", seen.append)
    ask(server, PromiseCreate("p", FAR))
    server.pump()
    assert seen == []
    ask(server, PromiseSettle("p", "resolved"))
    server.pump()
    assert len(seen) == 1


def test_watch_of_two_is_told_both_and_a_forgotten_one_is_not(server):
    seen = []
    first, second, third = (lambda _, name=name: seen.append(name) for name in "abc")
    for callback in (first, second, third):
        server.watch("p", callback)
    server.unwatch("p", second)
    server.unwatch("p", second)
    server.unwatch("none", second)
    ask(server, PromiseCreate("p", 1))
    server.pump()
    assert seen == ["a", "c"]


def test_watch_of_a_local_child_hears_of_its_deadline(server):
    seen = []
    ask(server, PromiseCreate("p", 5_000, tags={"resonate:scope": "local"}))
    server.watch("p", seen.append)
    assert server.next_due_ms() == 5_000
    server.clock.advance_to(5_000)
    server.run_due()
    server.pump()
    assert [one.settled_at for one in seen] == [5_000]


def test_thirty_days_pass_from_timer_to_timer(server):
    network, received = join(server)
    ask(server, *[PromiseCreate(f"t{day}", day * DAY, tags={"resonate:timer": "true"}) for day in range(1, 31)])
    instants = []
    while (due := server.next_due_ms()) is not None:
        server.clock.advance_to(due)
        assert server.run_due() == 1
        instants.append(due)
    assert instants == [day * DAY for day in range(1, 31)]
    assert received == []
    network.stop()


def test_messages_wait_for_the_pump_and_go_round(server):
    networks = [join(server, pid) for pid in ("w1", "w2")]
    ask(server, *[targeted(f"t{number}") for number in range(4)])
    assert [received for _, received in networks] == [[], []]
    assert server.pump() == 4
    assert [len(received) for _, received in networks] == [2, 2]


def test_client_receives_unblock_and_never_execute(server):
    client, received = join(server, "c1", is_worker=False)
    ask(server, targeted("t"), PromiseRegisterListener("t", client.unicast), PromiseSettle("t", "resolved"))
    server.pump()
    assert [type(message) for message in received] == [Unblock]


def test_client_that_becomes_a_worker_is_offered_what_waits(server):
    network, received = join(server, is_worker=False)
    ask(server, targeted("t"))
    server.pump()
    assert received == []
    network.start(received.append, is_worker=True)
    network.start(received.append, is_worker=False)
    server.pump()
    assert received == [Execute("t", 0)]


def test_stopped_worker_gets_nothing_more(server):
    network, received = join(server)
    network.stop()
    ask(server, targeted("t"))
    server.pump()
    assert received == []


def test_receiver_that_raises_hurts_nobody_else(server, caplog):
    network = LocalNetwork(server, group="g", pid="w1")
    network.start(lambda _: 1 / 0, is_worker=True)
    with caplog.at_level(logging.ERROR):
        ask(server, targeted("t"))
        server.pump()
    assert "the receiver of g/w1 failed" in caplog.text


def test_lease_of_a_silent_holder_is_offered_to_the_living(server):
    _, received = join(server)
    ask(server, TaskCreate("dead", 1_000, targeted("t")))
    assert server.next_due_ms() == 1_100
    server.clock.advance_to(1_100)
    server.run_due()
    server.pump()
    assert received == [Execute("t", 1)]


def test_pending_task_that_nobody_serves_keeps_no_timer_going(server):
    ask(server, targeted("t", "poll://any@nobody"))
    assert server.next_due_ms() == FAR


def test_submit_after_close_is_answered(tmp_path):
    server = LocalServer(MemoryStore(), VirtualClock(), inline=True)
    server.close()
    answers = ask(server, PromiseGet("p"), PromiseGet("q"))
    assert [one.status for one in answers] == [0, 0]
    assert "stopped" in answers[0].error


def test_run_due_with_a_thread_is_refused():
    server = LocalServer(MemoryStore(), VirtualClock())
    with pytest.raises(UsageError, match="inline"):
        server.run_due()
    server.close()


def test_clock_that_is_set_back_is_refused():
    clock = VirtualClock(100)
    with pytest.raises(UsageError, match="does not go back"):
        clock.advance(-1)


def test_timer_that_cannot_be_fired_is_left_alone_and_stops_no_other(server, monkeypatch, caplog):
    fire = local_engine.fire

    def failing(store, due, **settings):
        if due.id == "bad":
            raise ValueError("unreadable row")
        return fire(store, due, **settings)

    monkeypatch.setattr(local_engine, "fire", failing)
    ask(server, PromiseCreate("bad", 200), PromiseCreate("good", 200))
    server.clock.advance_to(200)
    with caplog.at_level(logging.ERROR):
        assert server.run_due() == 1
        assert server.run_due() == 0
    assert caplog.text.count("cannot be fired") == 1
    assert server._engine.next_due_ms > 200


def test_lease_without_end_is_kept(server):
    answers = ask(server, TaskCreate("w1", 2**63 - 1, targeted("t")), TaskHeartbeat("w1", [HeartbeatTask("t", 1)]))
    assert [one.status for one in answers] == [200, 200]


def test_tasks_that_pile_up_are_offered_less_often(server, monkeypatch):
    monkeypatch.setattr(local_engine, "SWEEP_COUNT", 2)
    network, received = join(server)
    ask(server, *[targeted(f"t{number}") for number in range(5)])
    server.pump()
    server.clock.advance(1_000)
    server.run_due()
    server.pump()
    assert len(received) == 10
    server.clock.advance(1_000)
    server.run_due()
    server.pump()
    assert len(received) == 11, "the last one was alone in its sweep"
    network.stop()


def test_turns_of_one_group_do_not_depend_on_other_messages(server):
    first, second, other = join(server, "w1"), join(server, "w2"), join(server, "x1", group="h")
    for number in range(4):
        ask(server, targeted(f"t{number}"), targeted(f"h{number}", "poll://any@h"))
    server.pump()
    assert [len(received) for _, received in (first, second, other)] == [2, 2, 4]


@pytest.mark.parametrize(("code", "pause_ms"), [(sqlite3.SQLITE_BUSY, POLL_MS), (sqlite3.SQLITE_IOERR, PAUSE_MS)])
def test_store_that_cannot_be_looked_at_is_looked_at_again(tmp_path, monkeypatch, caplog, code, pause_ms):
    store = SqliteStore(tmp_path / "a.db", synchronous="NORMAL")
    server = LocalServer(store, VirtualClock(100), inline=True)
    error = sqlite3.OperationalError("not now")
    error.sqlite_errorcode = code

    def fail():
        raise error

    pauses = []
    monkeypatch.setattr(store.board, "is_changed", fail)
    monkeypatch.setattr(server.clock, "wait", lambda _, timeout_ms: pauses.append(timeout_ms))
    server._work([])
    monkeypatch.undo()
    server._work([])
    assert pauses == [pause_ms]
    assert ("could not look at its store" in caplog.text) is (pause_ms == PAUSE_MS)
    server.close()
