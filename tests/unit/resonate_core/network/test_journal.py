"""The journal of what an execution recorded, on a server that only knows promises by their ids."""

from __future__ import annotations

import base64
import json

import pytest

from resonate_core.network.journal import Journal, UnansweredError, recorded_ids
from resonate_core.network.routing import origin_of_request
from resonate_core.protocol import requests as r
from resonate_core.protocol.records import PromiseRecord, Value

TASK = PromiseRecord("e", "pending", 900, 1, tags={"resonate:origin": "e"})


class Store:
    """Promises by id, created by fences; nothing else."""

    def __init__(self):
        self.promises = {}
        self.gone = set()

    async def send(self, request):
        id = request.action.id if isinstance(request, r.TaskFence) else request.id
        if id in self.gone:
            return r.Response(0, error="no answer")
        if isinstance(request, r.TaskFence):
            if request.version != 1:
                return r.Response(409, error="held by another")
            create = request.action
            self.promises.setdefault(
                id, PromiseRecord(id, "pending", create.timeout_at, 1, create.param, tags=create.tags)
            )
        found = self.promises.get(id)
        return r.Response(404, error="none") if found is None else r.Response(200, promise=found)

    def put(self, id, branch="e", state="resolved"):
        self.promises[id] = PromiseRecord(id, state, 900, 1, tags={"resonate:branch": branch})

    def pages(self):
        return [id for id in self.promises if ".journal." in id]


@pytest.fixture
def store():
    return Store()


async def test_what_was_noted_and_recorded_is_the_history_of_who_comes_next(store):
    assert await Journal(store).note(TASK, 1, ["e.1", "e.order.0", "e.2"]) is None
    for id in ("e.1", "e.order.0"):
        store.put(id)
    store.put("e.other", branch="e.other")
    found = await Journal(store).history("e")
    assert sorted(record.id for record in found) == ["e.1", "e.order.0"]


async def test_ids_in_a_row_are_named_ahead_so_that_the_next_costs_no_page(store):
    journal = Journal(store)
    for number in range(1, 9):
        assert await journal.note(TASK, 1, [f"e.{number}"]) is None
    assert len(store.pages()) == 1
    await journal.note(TASK, 1, ["e.9"])
    assert len(store.pages()) == 2


async def test_page_that_was_not_known_is_passed_over(store):
    first, second = Journal(store), Journal(store)
    await second.history("e")
    await first.note(TASK, 1, ["e.1"])
    await second.note(TASK, 1, ["e.x"])
    assert len(store.pages()) == 2
    store.put("e.1")
    store.put("e.x")
    assert {record.id for record in await Journal(store).history("e")} == {"e.1", "e.x"}


async def test_page_whose_answer_was_lost_is_written_once(store):
    journal = Journal(store)
    await journal.history("e")
    param = Value(data=base64.b64encode(json.dumps(["e.x"]).encode()).decode())
    store.promises["e.journal.0"] = PromiseRecord("e.journal.0", "pending", 900, 1, param)
    await journal.note(TASK, 1, ["e.x"])
    assert store.pages() == ["e.journal.0"]


async def test_who_lost_the_task_notes_nothing(store):
    refusal = await Journal(store).note(TASK, 2, ["e.1"])
    assert refusal.status == 409
    assert not store.pages()


async def test_half_a_history_is_none(store):
    journal = Journal(store)
    await journal.note(TASK, 1, ["e.1"])
    store.gone.add("e.1")
    with pytest.raises(UnansweredError):
        await journal.history("e")
    store.gone.add("f.journal.0")
    other = PromiseRecord("f", "pending", 900, 1)
    assert (await journal.note(other, 1, ["f.1"])).status == 0


async def test_messages_are_read_slot_by_slot_and_an_empty_slot_is_none(store):
    for number in range(40):
        store.put(f"e.inbox.{number}")
    store.put("e.inbox.40", state="pending")
    assert len(await Journal(store).history("e")) == 40


async def test_later_run_has_its_own_records(store):
    journal = Journal(store)
    await journal.note(TASK, 1, ["e.1", "e.run.1", "e.run.1.1"])
    store.put("e.1")
    store.put("e.run.1")
    store.put("e.run.1.1", branch="e.run.1")
    assert {record.id for record in await journal.history("e")} == {"e.1", "e.run.1"}
    assert {record.id for record in await journal.of_branch("e.run.1")} == {"e.run.1.1"}


def test_only_what_belongs_to_the_task_itself_is_noted():
    def fenced(id, branch):
        return r.TaskFence("e", 1, r.PromiseCreate(id, 9, tags={"resonate:branch": branch}))

    requests = [
        fenced("e.1", "e"),
        fenced("e.2", "e.2"),
        fenced("e.run.1.1", "e.run.1"),
        r.FenceSettled("e", 1, r.PromiseCreate("e.3", 9, tags={"resonate:branch": "e"}), "resolved"),
        r.TaskFence("e", 1, r.PromiseSettle("e.1", "resolved")),
        r.PromiseCreate("e.inbox.0", 9, tags={"resonate:branch": "e"}),
    ]
    assert recorded_ids(requests) == {("e", 1): ["e.1", "e.run.1.1", "e.3"]}


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (r.PromiseGet("a.b.1"), "a"),
        (r.PromiseGet("a:b"), "a"),
        (r.PromiseRegisterListener("a.1", "poll://uni@g/p"), "a"),
        (r.TaskCreate("p", 1, r.PromiseCreate("a.1", 9)), "a"),
        (r.TaskHeartbeat("p", [r.HeartbeatTask("a.1", 1)]), "a"),
        (r.TaskHeartbeat("p", []), "default"),
        (r.TaskFence("a.1", 1, r.PromiseGet("a.2")), "a"),
        (r.PromiseSearch(), "default"),
        (r.ScheduleGet("a.b"), "default"),
    ],
)
def test_request_is_placed_by_what_stands_before_the_first_separator(request_, word):
    assert origin_of_request(request_) == word
