"""Everything a program can do, on every kind of server; what it gives is what it gives in memory."""

from __future__ import annotations

import uuid

import pytest

from resonate_core import Resonate
from tests.interop import programs
from tests.interop.tour import PARTS

EXPECTED = {
    "steps": 190,
    "children": 210,
    "id_with_signs": 6,
    "sleep": "late",
    "child_of_its_own": "late",
    "approval": "ann",
    "deadlines": ["nobody", "nobody"],
    "messages": [[2], ["a", "b"], ["a", "b"], "closed"],
    "events": ["hello", ["hello", None]],
    "rounds": 3,
    "failure": "ValueError('no')",
    "race": 1,
    "gathered": [1, 2, 3, 4, 5, 6] * 2,
    "cancellation": ["undone", 0],
    "mutex": ["in", "out"] * 3,
    "queue": ["0 in", "0 out", "1 in", "1 out", "2 in", "2 out", "3 in", "3 out"],
    "schedule": "* * * * *",
}


@pytest.fixture(scope="module")
def resonate(server_url):
    with Resonate(server_url, group=f"g{uuid.uuid4().hex[:8]}", ttl=2.0) as client:
        client.register(*programs.ALL)
        yield client


@pytest.fixture(scope="module")
def in_memory():
    with Resonate("memory:") as client:
        client.register(*programs.ALL)
        yield client


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_part_of_the_tour_gives_what_is_expected(resonate, part):
    assert part(resonate, uuid.uuid4().hex[:12]) == EXPECTED[part.__name__]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_part_of_the_tour_in_memory_gives_the_same(in_memory, part):
    assert part(in_memory, uuid.uuid4().hex[:12]) == EXPECTED[part.__name__]
