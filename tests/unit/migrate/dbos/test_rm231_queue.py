from __future__ import annotations

import re

import pytest

HEAD = """
from dbos import DBOS, Queue

{}

@DBOS.workflow()
def work(n): return n

def submit(n): {}
"""


def test_queue_without_limits_goes(migrate) -> None:
    result = migrate(HEAD.format("q = Queue('q')", "return q.enqueue(work, n).workflow_id"))
    assert "return resonate.begin_rpc(str(uuid4()), work, n).id" in result.text
    assert "Queue" not in result.text


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("concurrency=1", "concurrency=1"),
        ("worker_concurrency=2", "worker_concurrency=2"),
        ("limiter={'limit': 1, 'period': 1}", "limiter={'limit': 1, 'period': 1}"),
        ("priority_enabled=True", "priority_enabled=True"),
        ("1", "concurrency=1"),
        ("1, {'limit': 1, 'period': 1}", "concurrency=1, limiter={'limit': 1, 'period': 1}"),
        ("global_concurrency=3, polling_interval_sec=2", "concurrency=3"),
        ("partition_concurrency=3", "concurrency=3, partition_queue=True"),
        ("concurrency=3, limiter=None, priority_enabled=False", "concurrency=3"),
    ],
)
def test_queue_with_a_limit_keeps_it(migrate, limit: str, expected: str) -> None:
    result = migrate(HEAD.format(f"q = Queue('q', {limit})", "return q.enqueue(work, n).workflow_id"))
    assert f"q = Queue('q', {expected})" in result.text
    assert "import Context, Queue, Resonate, durable" in result.text
    assert "return resonate.enqueue(q, str(uuid4()), work, n).id" in result.text


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("*limits", "positional arguments"),
        ("**limits", r"setting \*\* has no counterpart"),
        ("database_backed_queue=True", "setting database_backed_queue"),
        ("concurrency=1, partition_concurrency=2", "limits of partitions and limits of all"),
    ],
)
def test_queue_whose_limits_are_not_plain_to_see_keeps_what_it_starts(migrate, limit: str, reason: str) -> None:
    result = migrate(HEAD.format(f"q = Queue('q', {limit})", "q.enqueue(work, n)"))
    assert result.texts == {}
    assert re.search(reason, result.reasons[0])


def test_child_in_a_queue_stands_in_line(migrate) -> None:
    result = migrate(
        HEAD.format("q = Queue('q', concurrency=1)", "pass")
        + "\n@DBOS.workflow()\ndef parent(n):\n    q.enqueue(work, n)\n    return q.enqueue(work, n).get_result()\n"
    )
    assert "yield ctx.enqueue(q, work, n)" in result.text
    assert "return (yield ctx.rpc(work, n).options(queue=q))" in result.text


@pytest.mark.parametrize(
    ("queue", "start"),
    [
        ("q = [Queue('q')]", "q[0].enqueue(work, n)"),
        ("name = input()\nq = Queue(name)", "q.enqueue(work, n)"),
        ("", "DBOS.enqueue_workflow('elsewhere', work, n)"),
        ("q = Queue('q')", "\n    with SetEnqueueOptions(priority=1): q.enqueue(work, n)"),
    ],
)
def test_queue_that_is_not_plain_to_see_keeps_what_it_starts(migrate, queue: str, start: str) -> None:
    text = HEAD.format(queue, start).replace("DBOS, Queue", "DBOS, Queue, SetEnqueueOptions")
    assert migrate(text).texts == {}


def test_queue_of_another_file_is_followed(migrate) -> None:
    result = migrate(
        {
            "queues.py": "from dbos import Queue\n\nq = Queue('q', concurrency=3)\n",
            "app.py": "from dbos import DBOS\nfrom queues import q\n\n@DBOS.workflow()\ndef work(n): return n\n\n"
            "def submit(n): q.enqueue(work, n)\n",
        }
    )
    assert "from resonate_core import Queue" in result.texts["queues.py"]
    assert "resonate.enqueue(q, str(uuid4()), work, n)" in result.texts["app.py"]
