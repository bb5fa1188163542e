from __future__ import annotations

import pytest

HEAD = """
from dbos import DBOS

@DBOS.step()
def step(given, other=None):
    {}

@DBOS.workflow()
def flow(x): return step(x)
"""


@pytest.mark.parametrize(
    "body",
    [
        "given.append(1)",
        "given['a'] = 1",
        "given.total = 2",
        "del given['a']",
        "given.rows[0].update(a=1)",
        "given['a'] += 1",
        "other.add(given)",
    ],
)
def test_step_that_changes_its_argument_is_told(migrate, body: str) -> None:
    result = migrate(HEAD.format(body))
    assert "RM558" in result.codes
    assert "yield ctx.run(step, x)" in result.text


@pytest.mark.parametrize(
    "body",
    [
        "return given.copy()",
        "given = list(given); given.append(1)",
        "own = []; own.append(given)",
        "return given.total + len(given)",
        "return sorted(given)",
    ],
)
def test_step_that_changes_nothing_it_was_given_is_not(migrate, body: str) -> None:
    assert "RM558" not in migrate(HEAD.format(body)).codes
