from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ('"other", n', '# RM507: the worker of other must move to Resonate too\nyield ctx.rpc("other", n)'),
        ('"act", n', 'yield ctx.rpc("act", n)'),
        ('"act", args=[n]', 'yield ctx.rpc("act", n)'),
    ],
)
def test_call_by_name_becomes_an_rpc_by_name(body, call: str, line: str) -> None:
    assert body(f"await workflow.execute_activity({call}, start_to_close_timeout=timedelta(seconds=10))").startswith(
        line
    )


def test_call_by_name_of_an_unknown_step_carries_its_options(body) -> None:
    text = body('await workflow.execute_activity("other", n, start_to_close_timeout=timedelta(seconds=3))')
    assert ".options(attempt_timeout=3, retry_policy=Backoff(1, max_delay=100))" in text


def test_step_of_others_is_marked_once_in_a_file(body) -> None:
    call = 'await workflow.execute_activity("other", n, start_to_close_timeout=LIMIT)'
    assert body(f"{call}\n{call}").count("# RM507") == 1


def test_result_that_is_used_is_reported_and_one_that_is_dropped_is_not(workflow) -> None:
    used = workflow('return await workflow.execute_activity("other", n, start_to_close_timeout=LIMIT)')
    dropped = workflow('await workflow.execute_activity("other", n, start_to_close_timeout=LIMIT)')
    assert sorted(used.codes) == ["RM121", "RM507"]
    assert dropped.codes == ["RM507"]


def test_step_that_returns_plain_json_needs_no_word(workflow) -> None:
    done = workflow('return await workflow.execute_activity("act", n, start_to_close_timeout=LIMIT)')
    assert done.codes == []
