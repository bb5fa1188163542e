from __future__ import annotations

import pytest

from compat.temporal import ids
from compat.temporal.groups import activity_group, workflow_group


@pytest.mark.parametrize("plain", ["order-1", "a/b", "ann@example.com", "ä ö", "v.next", "50% off", "a~b", "x.y.z"])
def test_promise_id_of_an_ordinary_workflow_id_is_the_same(plain: str) -> None:
    assert ids.promise_id(plain) == plain


@pytest.mark.parametrize("taken", ["w.1", "w.inbox.0", "w.order.3", "w.run.1", "w.event.k.0", "w~1", "a%2Eb", "1.2.3"])
def test_promise_id_never_means_a_part_of_another_execution(taken: str) -> None:
    escaped = ids.promise_id(taken)
    assert escaped != taken
    assert ids.workflow_id(escaped) == taken


def test_promise_ids_of_different_workflow_ids_differ() -> None:
    given = ["a.1", "a%2E1", "a%252E1", "a~1", "a%7E1", "a.1~2"]
    assert len({ids.promise_id(one) for one in given}) == len(given)


def test_run_ids_differ_by_generation_and_run() -> None:
    runs = {ids.run_id(promise, run) for promise in ("w", "w~1") for run in (0, 1)}
    assert len(runs) == 4
    assert ids.run_id("w", 0) == ids.run_id("w", 0)


def test_groups_of_a_task_queue_differ_for_workflows_and_activities() -> None:
    assert workflow_group("orders") == "orders"
    assert activity_group("orders") == "orders:activities"
    assert "/" not in workflow_group("eu/orders")
