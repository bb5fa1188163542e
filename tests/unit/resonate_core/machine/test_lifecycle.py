import pytest

from resonate_core.limits import RESUMES_COUNT_MAX
from resonate_core.machine.checks import is_address
from resonate_core.machine.decide import decide, fire
from resonate_core.machine.lifecycle import is_internal
from resonate_core.machine.timers import Due
from resonate_core.protocol.addresses import expand, preferred, route
from resonate_core.protocol.records import Value
from resonate_core.protocol.requests import (
    Execute,
    MessageAppend,
    PromiseCreate,
    PromiseRegisterCallback,
    PromiseSettle,
    ScheduleCreate,
    TaskCreate,
    TaskFence,
    TaskSuspend,
)
from resonate_core.store.memory import MemoryStore

TARGET = {"resonate:target": "poll://any@g"}


class Machine:
    """The machine on a store of its own, without a server around it."""

    def __init__(self):
        self.store = MemoryStore()
        self.now = 100
        self.reads = 0

    def ask(self, request):
        response, effects = decide(self.store, request, now_ms=self.now)
        self.store.apply(effects)
        assert response.status == 200, response
        return effects

    def hold(self, id, deadline=10_000):
        self.ask(TaskCreate("w1", 1_000, PromiseCreate(id, deadline, tags=TARGET)))

    def suspend(self, id, *awaited):
        self.ask(TaskSuspend(id, 1, [PromiseRegisterCallback(one, id) for one in awaited]))


def test_decide_same_question_twice_changes_nothing_by_itself():
    machine = Machine()
    first = decide(machine.store, PromiseCreate("p", 500), now_ms=100)
    second = decide(machine.store, PromiseCreate("p", 500), now_ms=100)
    assert first[0] == second[0]
    assert machine.store.promise("p") is None


def test_deadline_of_a_chain_of_three_thousand_is_settled_without_recursion():
    machine = Machine()
    machine.hold("w0", 200)
    for number in range(1, 3_000):
        machine.hold(f"w{number}", 200)
        machine.suspend(f"w{number}", f"w{number - 1}")
    machine.now = 200
    effects = fire(machine.store, Due("promise", "w0"), now_ms=200)
    assert len(effects.settled) == 3_000
    assert effects.outbox == []


def test_settlement_with_many_awaiters_wakes_each_once():
    machine = Machine()
    machine.ask(PromiseCreate("a", 10_000))
    for number in range(200):
        machine.hold(f"w{number}")
        machine.suspend(f"w{number}", "a")
    effects = machine.ask(PromiseSettle("a", "resolved"))
    assert sorted(out.message.id for out in effects.outbox) == sorted(f"w{number}" for number in range(200))


def test_resume_prefers_the_process_that_held_the_task_last():
    machine = Machine()
    machine.ask(PromiseCreate("a", 10_000))
    machine.hold("w")
    machine.suspend("w", "a")
    (out,) = machine.ask(PromiseSettle("a", "resolved")).outbox
    assert (out.message, out.prefer) == (Execute("w", 1), "w1")


def test_causes_of_a_wake_up_beyond_the_limit_are_not_kept():
    machine = Machine()
    machine.hold("w")
    for number in range(RESUMES_COUNT_MAX + 5):
        machine.ask(PromiseCreate(f"a{number}", 10_000))
        machine.ask(PromiseRegisterCallback(f"a{number}", "w"))
        machine.ask(PromiseSettle(f"a{number}", "resolved"))
    assert len(machine.store.task("w").resumes) == RESUMES_COUNT_MAX


@pytest.mark.parametrize("count", [10, 2_000])
def test_message_append_into_a_long_inbox_reads_as_little_as_into_a_short_one(count):
    machine = Machine()
    machine.hold("w")
    for number in range(count):
        machine.ask(MessageAppend("w", Value({"resonate:message": f"m{number}"}, "x"), 10_000))
    reads = []
    look = machine.store.promise
    machine.store.promise = lambda one: reads.append(one) or look(one)
    machine.ask(MessageAppend("w", Value({"resonate:message": "last"}, "x"), 10_000))
    assert len(reads) == 2
    assert look(f"w.inbox.{count}").value.data == "x"


def test_timer_fired_early_late_or_for_nothing_changes_nothing():
    machine = Machine()
    machine.hold("w")
    for due in (Due("promise", "w"), Due("lease", "w"), Due("retry", "w"), Due("lease", "none"), Due("schedule", "s")):
        assert fire(machine.store, due, now_ms=100).is_empty


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, False),
        ({"resonate:scope": "local"}, True),
        ({"resonate:scope": "global"}, False),
        ({"resonate:scope": "local", "resonate:timer": "true"}, False),
        ({"resonate:scope": "local", "resonate:external": "true"}, False),
        ({"resonate:scope": "local", "resonate:target": "x"}, False),
        ({"resonate:scope": "local", "resonate:timer": "false"}, True),
    ],
)
def test_internal_promise_is_one_that_only_its_own_worker_settles(tags, expected):
    assert is_internal(tags) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("poll://any@g", True),
        ("poll://any@g/w1", True),
        ("poll://uni@g/w1", True),
        ("http://host/x", True),
        ("https://host", True),
        ("gcps://project/topic", True),
        ("bash://", True),
        ("poll://all@g", False),
        ("poll://any@", False),
        ("g", False),
        ("", False),
        ("gcps://project", False),
    ],
)
def test_address_is_one_that_some_transport_understands(address, expected):
    assert is_address(address) is expected


def test_expand_word_is_a_group_and_an_address_stays():
    assert expand("orders") == "poll://any@orders"
    assert expand("http://h/x") == "http://h/x"


def test_route_of_an_address_with_a_preference_is_the_group():
    assert route("poll://any@g/w1") == "poll://any@g"
    assert route("poll://uni@g/w1") == "poll://uni@g/w1"
    assert (preferred("poll://any@g/w1"), preferred("poll://any@g")) == ("w1", None)


def test_deadline_of_awaiters_that_await_each_other_ends_all_and_wakes_none():
    machine = Machine()
    machine.ask(PromiseCreate("a", 200))
    machine.hold("w1", 200)
    machine.hold("w2", 200)
    machine.ask(TaskSuspend("w2", 1, [PromiseRegisterCallback("a", "w2")]))
    machine.ask(
        TaskSuspend("w1", 1, [PromiseRegisterCallback("a", "w1"), PromiseRegisterCallback("w2", "w1")]),
    )
    machine.now = 200
    effects = fire(machine.store, Due("promise", "a"), now_ms=200)
    assert (set(effects.settled), effects.outbox) == ({"a", "w1", "w2"}, [])
    assert {task.state for task in effects.tasks.values()} == {"fulfilled"}
    assert not any(effects.callbacks.values())


def test_schedule_with_a_delay_that_is_no_number_fires_without_it():
    machine = Machine()
    tags = {**TARGET, "resonate:delay": "soon"}
    machine.ask(ScheduleCreate("s", "* * * * * *", "{{.timestamp}}", 5_000, promise_tags=tags))
    effects = fire(machine.store, Due("schedule", "s"), now_ms=1_000)
    assert "resonate:delay" not in effects.created["1000"].tags
    assert effects.outbox[0].message == Execute("1000", 0)


def test_message_with_the_same_id_in_a_slot_filled_by_a_walking_sender_is_found():
    machine = Machine()
    machine.hold("w")
    named = Value({"resonate:message": "m"}, "x")
    machine.ask(PromiseCreate("w.inbox.0", 10_000))
    machine.ask(PromiseSettle("w.inbox.0", "resolved", named))
    assert machine.ask(MessageAppend("w", named, 10_000)).created == {}
    assert (machine.store.letter("w", "m"), machine.store.tail("w")) == (0, 0)
    machine.ask(MessageAppend("w", Value(None, "y"), 10_000))
    assert machine.store.promise("w.inbox.1").value.data == "y"


def test_message_beyond_a_free_slot_leaves_the_slot_to_the_next():
    machine = Machine()
    machine.hold("w")
    machine.ask(PromiseCreate("w.inbox.0", 10_000))
    machine.ask(PromiseSettle("w.inbox.0", "resolved"))
    machine.ask(MessageAppend("w", Value(None, "far"), 10_000, 2))
    machine.ask(MessageAppend("w", Value(None, "near"), 10_000, 0))
    found = [machine.store.promise(f"w.inbox.{slot}").value.data for slot in (1, 2)]
    assert found == ["near", "far"]


def test_fence_that_settles_an_unknown_promise_carries_the_task_that_is_held():
    machine = Machine()
    machine.hold("w")
    response, effects = decide(machine.store, TaskFence("w", 1, PromiseSettle("none", "resolved")), now_ms=100)
    assert (response.status, response.task.id, effects.is_empty) == (404, "w", True)
