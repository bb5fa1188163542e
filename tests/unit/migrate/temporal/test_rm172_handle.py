from __future__ import annotations

import pytest

HEAD = (
    "from temporalio.client import Client, WorkflowHandle\n\n\nasync def main(client: Client, h: WorkflowHandle):\n    "
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return await h.result()", "return await h"),
        ("return h.result()", "return h.aio.result()"),
        ("await h.signal('s')", "await h.aio.signal('s')"),
        ("await h.signal('s', 1)", "await h.aio.signal('s', 1)"),
        ("await h.signal('s', args=[1, 2])", "await h.aio.signal('s', 1, 2)"),
        ("await h.query('q', result_type=int)", "await h.aio.query('q')"),
        ("await h.execute_update('u', 1, id='i')", "await h.aio.update('u', 1)"),
        ("await h.cancel()", "await h.aio.cancel()"),
        ("await h.terminate('why')", "await h.aio.terminate('why')"),
        ("print(h.id)", "print(h.id)"),
    ],
)
def test_handle_is_asked_under_aio(migrate, before: str, after: str) -> None:
    done = migrate(HEAD + before + "\n")
    assert done.text == (
        "from resonate_core import Handle, Resonate\n\n\nasync def main(client: Resonate, h: Handle):\n    "
        + after
        + "\n"
    )


@pytest.mark.parametrize(
    "use",
    ["print(h.run_id)", "await h.start_update('u')", "await h.result(follow_runs=False)", "print(h.result_run_id)",
     "await h.fetch_history()"],
)  # fmt: skip
def test_handle_of_a_run_keeps_the_program(migrate, use: str) -> None:
    done = migrate(HEAD + use + "\n")
    assert not done.texts
    assert done.reasons
