"""The same checks on a released Resonate Server: what it answers is what ours answers, but for what is listed here."""

from __future__ import annotations

import os

import pytest

from resonate_core.protocol.requests import FenceSettled, FulfillIfRead, MessageAppend, PromiseRegisterCallback
from tests.conformance.driver import run_case
from tests.conformance.over_real import OverReal, RealServer
from tests.conformance.steps import NOW, RETRY_MS, Ask, Case, Messages
from tests.conformance.test_cases import CASES
from tests.load.servers import SERVER_VARIABLE

#: Kinds that only ours knows.
OURS = (FenceSettled, FulfillIfRead, MessageAppend)

#: Where the released server differs, and why ours does what it does.
DIFFERENT = {
    ("B15", "delays"): "it knows no delay, and takes any",
    ("F10", "no delay"): "it knows no delay",
    ("E6", "awaited settled"): "it counts a settled promise as news; the answer says it already",
    ("E10", "awaited settled leaves a suspended awaiter alone"): "it wakes the awaiter; the answer says it already",
    ("E8", "a local child cannot be awaited"): "it lets anything be awaited",
    ("I10", "on a local child"): "it lets anything be awaited",
    ("I2", "one is settled"): "it hands out records of the branch only",
    ("I3", "one expires now"): "it hands out records of the branch only",
    ("L3", "0 0 30 2 *"): "it takes an expression that never comes due, and says a minute from now",
    ("L9", "a backlog"): "it takes one instant a sweep",
    ("L14", "0 0 0 1 1 * 1971"): "it finds no instant that long ago, and says a minute from now",
    ("M2", "search shows what a get would"): "it searches what is stored, not what is so",
}


def asked(one: Case) -> Case:
    """Return a case without its looks at messages, which a resting server keeps to itself."""
    return Case(one.number, one.says, tuple(step for step in one.steps if not isinstance(step, Messages)), one.workers)


def is_published(one: Case) -> bool:
    return not any(isinstance(step, Ask) and isinstance(step.request, OURS) for step in one.steps)


PUBLISHED = [asked(one) for one in CASES if is_published(one)]


def test_differences_are_checks_that_exist():
    assert set(DIFFERENT) <= {(one.number, one.says) for one in PUBLISHED}
    assert len(PUBLISHED) > 200


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    binary = os.environ.get(SERVER_VARIABLE)
    if binary is None:
        pytest.skip(f"{SERVER_VARIABLE} names no Resonate Server")
    made = RealServer(binary, tmp_path_factory.mktemp("real"), retry_ms=RETRY_MS)
    if OverReal(made, now_ms=NOW).ask(PromiseRegisterCallback("w:1", "w:2")).status == 400:
        made.close()
        pytest.skip("this server ties ids to their origin, and the checks are written without that")
    yield made
    made.close()


@pytest.mark.server
@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: f"{one.number} {one.says[:40]}")
def test_check_on_a_real_server_holds_or_differs_as_listed(server, one):
    system = OverReal(server, now_ms=NOW)
    if (one.number, one.says) not in DIFFERENT:
        run_case(system, one)
        return
    with pytest.raises(AssertionError):
        run_case(system, one)
