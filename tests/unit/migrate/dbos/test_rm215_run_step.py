from __future__ import annotations

import pytest

CASES = {
    "return DBOS.run_step(None, len, items)": "return (yield ctx.run(len, items).options(retry_policy=Never()))",
    "DBOS.run_step({'name': 'x'}, lambda: print(n))": ("yield ctx.run(lambda: print(n)).options(retry_policy=Never())"),
    "DBOS.run_step({'retries_allowed': True}, len, items)": (
        "yield ctx.run(len, items).options(retry_policy=Backoff(1, max_attempts=3))"
    ),
    "DBOS.run_step(None, act, n, by=2)": "yield ctx.run(act, n, by=2).options(retry_policy=Never())",
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_run_step_in_a_workflow_is_yielded(body, before: str, after: str) -> None:
    assert body(before) == after


def test_run_step_outside_is_a_plain_call(migrate) -> None:
    result = migrate("from dbos import DBOS\n\nprint(DBOS.run_step({'name': 'x'}, len, 'abc'))\n")
    assert result.text == "print(len('abc'))\n"


@pytest.mark.parametrize("arguments", ["options, len, items", "*items", "None"])
def test_run_step_that_is_not_plain_to_see_keeps_the_workflow(held, arguments: str) -> None:
    assert "run_step" in held(f"DBOS.run_step({arguments})")
