from __future__ import annotations

import pytest

HEAD = """
from dbos import DBOS, Queue, SetEnqueueOptions, SetWorkflowID

q = Queue('q', {})

@DBOS.workflow()
def work(n): return n

def submit(n, rank):
    {}
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("priority=rank", "priority=rank"),
        ("queue_partition_key='a'", "partition='a'"),
        ("delay_seconds=5, priority=1", "delay=5, priority=1"),
    ],
)
def test_options_go_to_the_start(migrate, given: str, expected: str) -> None:
    body = f"with SetEnqueueOptions({given}):\n        q.enqueue(work, n)"
    result = migrate(HEAD.format("concurrency=1", body))
    assert f"    resonate.options({expected}).enqueue(q, str(uuid4()), work, n)" in result.text
    assert "SetEnqueueOptions" not in result.text


def test_queue_of_starts_with_priorities_has_them(migrate) -> None:
    result = migrate(HEAD.format("1", "with SetEnqueueOptions(priority=1): q.enqueue(work, n)"))
    assert "q = Queue('q', concurrency=1, priority_enabled=True)" in result.text


def test_options_of_nothing_ask_for_nothing(migrate) -> None:
    body = "with SetEnqueueOptions(priority=None), SetWorkflowID('a'): q.enqueue(work, n)"
    assert "resonate.enqueue(q, 'a', work, n)" in migrate(HEAD.format("concurrency=1", body)).text


def test_child_takes_its_options(migrate) -> None:
    result = migrate(
        HEAD.format("concurrency=1", "pass")
        + "\n@DBOS.workflow()\ndef parent(n):\n    with SetEnqueueOptions(priority=3):\n        q.enqueue(work, n)\n"
    )
    assert "    yield ctx.enqueue(q, work, n).options(priority=3)" in result.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("with SetEnqueueOptions(deduplication_id='x'): q.enqueue(work, n)", "deduplication_id has no counterpart"),
        ("with SetEnqueueOptions(priority=rank + 1): q.enqueue(work, n)", "no constant or variable"),
        ("with SetEnqueueOptions(priority=1) as o: q.enqueue(work, n)", "plain form"),
        ("options = SetEnqueueOptions(priority=1)", "plain form"),
        ("with SetEnqueueOptions(priority=1): q.enqueue(work, n); q.enqueue(work, n)", "several workflows"),
        ("with SetEnqueueOptions(**rank): q.enqueue(work, n)", r"\\*\\* has no counterpart"),
    ],
)
def test_options_that_cannot_go_keep_what_they_start(migrate, body: str, reason: str) -> None:
    result = migrate(HEAD.format("concurrency=1", body))
    assert result.texts == {}
    assert any(reason.replace("\\", "") in one for one in result.reasons)
