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

#: What a server that cannot search cannot do.
SEARCHING = {"test_schedule_is_listed_paused_resumed_changed_and_deleted", "test_list_filters_by_what_is_asked"}

globals().update(
    {
        name: test
        for module in (test_queues, test_schedules, test_workflows)
        for name, test in vars(module).items()
        if name.startswith("test_") and "dbos" in test.__code__.co_varnames
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
        monkeypatch.setattr(test_queues, "WORK_S", 0.1)  # longer than a round trip, so that turns overlap
        DBOS(config={"name": "test"})
        DBOS.launch()
        yield DBOS
        DBOS.destroy()


def test_tests_that_search_exist():
    names = {name for module in (test_queues, test_schedules, test_workflows) for name in vars(module)}
    assert names >= SEARCHING
