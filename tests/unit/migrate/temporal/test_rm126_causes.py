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
        (
            "print(isinstance(err.cause, ApplicationError))",
            "print(isinstance(err.cause, Exception) and not isinstance(err.cause, TimeoutError))",
        ),
        (
            "if not isinstance(err.cause, ApplicationError):\n        raise",
            "if not (isinstance(err.cause, Exception) and not isinstance(err.cause, TimeoutError)):",
        ),
        ("print(isinstance(err.cause, (ApplicationError, int)))", "print(isinstance(err.cause, (Exception, int)))"),
        ("raise err.cause", "raise err.cause"),
    ],
)
def test_what_is_read_of_the_cause_says_the_same(workflow, before: str, after: str) -> None:
    done = workflow(TRY.format(before))
    assert after in done.text
    assert set(done.codes) - {"RM503"} == {"RM126"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("print(err.activity_type)", "print(err.step)"),
        ("print(err.message)", "print(str(err))"),
        ("print(f'{err.activity_type}')", "print(f'{err.step}')"),
    ],
)
def test_what_is_read_of_the_wrapper_has_its_counterpart(workflow, before: str, after: str) -> None:
    assert after in workflow(TRY.format(before)).text


@pytest.mark.parametrize("attribute", ["activity_id", "retry_state", "identity", "workflow_type"])
def test_what_the_wrapper_does_not_know_here_keeps_the_program(held, attribute: str) -> None:
    assert f"{attribute} of a wrapped error" in held(TRY.format(f"print(err.{attribute})"))


def test_attribute_of_one_of_several_wrappers_keeps_the_program(held) -> None:
    text = TRY.replace("except ActivityError", "except (ActivityError, ChildWorkflowError)")
    more = "from temporalio.exceptions import ChildWorkflowError"
    assert "message of a wrapped error" in held(text.format("print(err.message)"), more=more)


def test_cause_behind_the_cause_keeps_the_program(held) -> None:
    assert "behind the cause" in held(TRY.format("print(err.cause.cause)"))


def test_cause_of_something_else_is_nobody_s_business(workflow) -> None:
    assert workflow("print(n.cause.type)").codes == []
