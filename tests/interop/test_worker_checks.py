"""Section Q of the list of checks: what a worker must do on any server. Most of it is tested elsewhere, named here."""

from __future__ import annotations

import json
import logging
import time
import uuid

import pytest

from resonate_core import Resonate
from resonate_core.errors import CanceledError
from tests.conformance.test_cases import SECTIONS
from tests.interop import programs
from tests.interop.fakes import fake
from tests.interop.test_http_takeover import die, wait_until_suspended, worker
from tests.needs import ROOT

SECONDS = 15
FAR = 2**50

#: Check -> the test that makes it; those of this file have its name.
MADE = {
    "Q1": "conformance/test_envelope.py::test_300_of_a_suspend_is_the_status_of_http_too",
    "Q2": "unit/resonate_core/network/test_http_codec.py::test_records_of_other_servers_are_read_alike",
    "Q3": "unit/resonate_core/network/test_http_codec.py::test_error_is_read_in_every_shape",
    "Q4": "interop/test_http_survival.py::test_messages_repeated_and_out_of_order_change_nothing",
    "Q5": "interop/test_http_survival.py::test_streams_cut_again_and_again_lose_no_result",
    "Q6": "conformance/test_processes.py::test_process_killed_in_every_commit_in_turn_loses_no_answered_step",
    "Q7": "interop/test_http_takeover.py::test_lease_of_a_dead_worker_lapses_and_another_goes_on",
    "Q8": "interop/test_http_takeover.py::test_task_of_a_timer_is_left_alone",
    "Q9": "interop/test_worker_checks.py::test_execution_that_returns_while_a_child_runs_ends_after_it",
    "Q10": "unit/resonate_core/client/test_flow.py::test_detached_child_outlives_its_parent",
    "Q11": "unit/resonate_core/network/test_spelling.py::test_id_has_its_spelling_and_comes_back",
    "Q12": "interop/test_serve_sdks.py::test_official_sdk_on_our_server_runs_its_own_program_and_ours_and_ours_its",
    "Q13": "interop/test_worker_checks.py::test_call_of_a_command_line_runs",
    "Q14": "interop/test_http_dialects.py::test_executions_of_several_origins_outlive_their_lease",
    "Q15": "interop/test_worker_checks.py::test_function_that_nobody_knows_does_not_spin",
    "Q16": "interop/test_worker_checks.py::test_call_of_a_command_line_runs",
    "Q17": "interop/test_worker_checks.py::test_sleep_goes_on_to_its_first_deadline_in_another_worker",
    "Q18": "interop/test_worker_checks.py::test_execution_settled_from_outside_has_that_result_and_nobody_complains",
    "Q19": "interop/test_worker_checks.py::test_execution_settled_from_outside_has_that_result_and_nobody_complains",
}


def test_every_check_is_made_by_a_test_that_exists():
    assert list(MADE) == [f"Q{number}" for number in range(1, 20)]
    assert sum(SECTIONS.values()) - SECTIONS["P"] + len(MADE) == 244, "the whole list"
    for place in MADE.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(), place


@pytest.fixture(scope="module")
def resonate(server_url):
    with Resonate(server_url, group=f"g{uuid.uuid4().hex[:8]}", ttl=1.0) as client:
        client.register(*programs.ALL)
        yield client


def call(resonate, func, args, **more):
    """Create a call as tools do that know little: no tags but the target."""
    id = uuid.uuid4().hex[:12]
    data = json.dumps({"func": func, "args": args, "version": 1, **more})
    target = resonate._engine.network.anycast
    resonate.promises.create(id, FAR, data=data, tags={"resonate:target": target, "resonate:external": "false"})
    return resonate.get(id)


@pytest.mark.parametrize("more", [{}, {"retry": {"type": "constant", "data": {"delay": 1, "maxRetries": 1}}}])
def test_call_of_a_command_line_runs(resonate, more):
    assert call(resonate, "plus_one", [4], **more).result(timeout=SECONDS) == 5


def test_execution_that_returns_while_a_child_runs_ends_after_it(resonate):
    began = time.monotonic()
    id = uuid.uuid4().hex[:12]
    assert resonate.begin_run(id, programs.leaves_a_child, 0.6).result(timeout=SECONDS) == "left"
    assert time.monotonic() - began > 0.6


def test_execution_settled_from_outside_has_that_result_and_nobody_complains(resonate, caplog):
    with caplog.at_level(logging.ERROR, "resonate_core"):
        id = uuid.uuid4().hex[:12]
        handle = resonate.begin_run(id, programs.works, 0.5)
        time.sleep(0.2)
        resonate.promises.cancel(id)
        with pytest.raises(CanceledError):
            handle.result(timeout=SECONDS)
        time.sleep(0.6)
        assert resonate.promises.get(id).state == "rejected_canceled"
    assert not caplog.records


def test_sleep_goes_on_to_its_first_deadline_in_another_worker():
    with fake("M") as server:
        began = time.monotonic()
        first = worker(server.url, "sleepers")
        first.begin_run("sleeps", programs.slow_child, 1.5)
        wait_until_suspended(first, "sleeps")
        die(first)
        time.sleep(0.6)
        second = worker(server.url, "sleepers")
        assert second.get("sleeps").result(timeout=SECONDS) == "late"
        assert 1.4 < time.monotonic() - began < 2.2
        second.stop()
        first.stop(0)


def test_function_that_nobody_knows_does_not_spin():
    with fake("R") as server:
        client = worker(server.url, "ignorant")
        call(client, "nobody.knows.it", [])
        time.sleep(1.5)
        count = server.seen.count("task.acquire")
        assert 1 <= count <= 4, "released at once it would be thousands"
        client.stop()
