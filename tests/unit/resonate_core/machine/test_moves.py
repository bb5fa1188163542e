from typing import get_args

import pytest

from resonate_core.machine import moves
from resonate_core.machine.refusal import RefusedError
from resonate_core.machine.state import TaskRow
from resonate_core.protocol.records import TaskState

STATES = get_args(TaskState)
EVENTS = get_args(moves.TaskEvent)


def row(state):
    return TaskRow("w", state, 3, "poll://any@g", 900, due_at=7, ttl=5, pid="w1", resumes=("a",))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_next_state_outside_the_table_is_a_conflict(state, event):
    if (state, event) in moves.TASK_MOVES:
        assert moves.next_state(row(state), event) in STATES
        return
    with pytest.raises(RefusedError, match=f"'w' is {state}: {event}") as caught:
        moves.next_state(row(state), event)
    assert caught.value.status == 409


def test_table_of_a_fulfilled_task_has_no_way_out():
    assert not [event for state, event in moves.TASK_MOVES if state == "fulfilled"]


def test_table_of_every_live_state_leads_to_the_end():
    assert all(moves.TASK_MOVES[state, "settle"] == "fulfilled" for state in STATES if state != "fulfilled")


def test_acquired_task_version_rises_and_causes_are_forgotten():
    taken = moves.acquired(row("pending"), pid="w2", ttl_ms=30, now_ms=100)
    assert (taken.version, taken.pid, taken.ttl, taken.due_at, taken.resumes) == (4, "w2", 30, 130, ())
    assert taken.last_pid == "w2"


def test_offered_task_lease_is_gone_and_version_stays():
    given = moves.offered(row("acquired"), "release", retry_at=150, resumes=("a",))
    assert (given.state, given.version, given.pid, given.ttl, given.due_at) == ("pending", 3, None, None, 150)


@pytest.mark.parametrize(("event", "resumes"), [("suspend", ()), ("halt", ("a",)), ("settle", ())])
def test_parked_task_has_no_timer_and_only_halt_keeps_causes(event, resumes):
    parked = moves.parked(row("acquired"), event)
    assert (parked.due_at, parked.pid, parked.ttl, parked.resumes) == (None, None, None, resumes)
