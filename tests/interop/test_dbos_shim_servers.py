"""What the DBOS shim does on the embedded stores it does on every kind of server: the same tests, other stores."""

from __future__ import annotations

import os

import pytest

from compat.dbos import DBOS
from tests.interop.fakes import fake
from tests.load import servers
from tests.load.live import real_server
from tests.unit.compat.dbos import test_queues, test_schedules, test_workflows

fresh_queues = test_queues.fresh
fresh_schedules = test_schedules.nothing_seen
fresh_workflows = test_workflows.no_calls

#: Tests that say something else on a server, and why.
LEFT_OUT = {
    "test_queue_of_one_keeps_the_order_of_enqueuing": "two enqueued within a round trip may ask in the other order",
    "test_failed_and_cancelled_workflows_leave_their_places": "it needs that order",
    "test_queue_with_a_limit_never_runs_more_at_once": "it measures how quickly a job of 10 ms follows the next",
    "test_workflow_enqueues_and_awaits": "as above",
    "test_lower_priority_number_goes_first_and_none_before_all": "it looks into the queue before a server has made it",
    "test_keeper_that_starts_over_loses_nobody": "hundreds of jobs in a row take seconds",
}
#: What a server that cannot search cannot do.
SEARCHING = {"test_schedule_is_listed_paused_resumed_changed_and_deleted", "test_list_filters_by_what_is_asked"}

globals().update(
    {
        name: test
        for module in (test_queues, test_schedules, test_workflows)
        for name, test in vars(module).items()
        if name.startswith("test_") and "dbos" in test.__code__.co_varnames and name not in LEFT_OUT
    }
)

pytestmark = pytest.mark.slow
KINDS = ["fake-R", "fake-M", "fake-C", "fake-P"]
if servers.SERVER_VARIABLE in os.environ:
    KINDS.append(pytest.param("real", marks=pytest.mark.server))


@pytest.fixture(params=KINDS)
def dbos(request, tmp_path, monkeypatch):
    if request.param == "fake-P" and request.function.__name__ in SEARCHING:
        pytest.skip("this server cannot search")
    with real_server(tmp_path) if request.param == "real" else fake(request.param[-1]) as server:
        monkeypatch.setenv("RESONATE_URL", server.url)
        DBOS(config={"name": "test"})
        DBOS.launch()
        yield DBOS
        DBOS.destroy()


def test_left_out_tests_exist():
    names = {name for module in (test_queues, test_schedules, test_workflows) for name in vars(module)}
    assert names >= {*LEFT_OUT, *SEARCHING}
