from __future__ import annotations

import pytest

HEAD = """from temporalio.client import Client, WorkflowFailureError


async def main(client: Client):
    try:
        await client.execute_workflow("W", id="x", task_queue="q")
    except WorkflowFailureError as err:
        {use}
"""


@pytest.mark.parametrize(
    ("before", "after"), [("print(err)", "print(err)"), ("print(err.cause)", "print(err)"), ("raise", "raise")]
)
def test_failure_becomes_the_error_itself(migrate, before: str, after: str) -> None:
    done = migrate(HEAD.format(use=before))
    assert f"    except Exception as err:\n        {after}\n" in done.text
    assert done.codes == ["RM507", "RM173"]


@pytest.mark.parametrize("use", ["print(err.cause.cause)", "print(isinstance(err.cause, ValueError))", "err.message"])
def test_failure_that_is_looked_into_keeps_the_program(migrate, use: str) -> None:
    assert not migrate(HEAD.format(use=use)).texts


def test_failure_outside_of_a_handler_keeps_the_program(migrate) -> None:
    done = migrate("from temporalio.client import WorkflowFailureError\n\nERRORS = (WorkflowFailureError,)\n")
    assert "outside of an except clause" in done.reasons[0]
