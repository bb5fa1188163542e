from __future__ import annotations

import pytest

TRY = (
    "try:\n    await workflow.execute_activity(act, n, start_to_close_timeout=LIMIT)\n"
    "except ActivityError as err:\n    {}\nreturn 0"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("print(err.cause.type)", 'print(getattr(err.cause, "type", type(err.cause).__name__))'),
        ("print(err.cause.message)", "print(str(err.cause))"),
        ("print(f'{err.cause.type}')", "print(f'{getattr(err.cause, \"type\", type(err.cause).__name__)}')"),
        ("print(isinstance(err.cause, ApplicationError))", "print(isinstance(err.cause, Exception))"),
        ("print(isinstance(err.cause, (ApplicationError, int)))", "print(isinstance(err.cause, (Exception, int)))"),
        ("raise err.cause", "raise err.cause"),
    ],
)
def test_what_is_read_of_the_cause_says_the_same(workflow, before: str, after: str) -> None:
    done = workflow(TRY.format(before))
    assert after in done.text
    assert set(done.codes) == {"RM126"}


def test_cause_behind_the_cause_keeps_the_program(held) -> None:
    assert "behind the cause" in held(TRY.format("print(err.cause.cause)"))


def test_cause_of_something_else_is_nobody_s_business(workflow) -> None:
    assert workflow("print(n.cause.type)").codes == []
