from __future__ import annotations

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
    "limit",
    ["concurrency=1", "worker_concurrency=2", "limiter={'limit': 1, 'period': 1}", "priority_enabled=True", "1"],
)
def test_queue_with_a_limit_keeps_what_it_starts(migrate, limit: str) -> None:
    result = migrate(HEAD.format(f"q = Queue('q', {limit})", "q.enqueue(work, n)"))
    assert result.texts == {}
    assert "has limits" in result.reasons[0]


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
    assert result.texts == {}
    assert "has limits (concurrency)" in result.reasons[0]
