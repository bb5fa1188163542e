from __future__ import annotations

import pytest

HEAD = """from temporalio import activity
from temporalio.testing import ActivityEnvironment


@activity.defn
async def act(n: int) -> int:
    return n


async def test_act():
    {use}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("assert await ActivityEnvironment().run(act, 1) == 1", "assert await act(1) == 1"),
        ("env = ActivityEnvironment()\n    assert await env.run(act, 1) == 1", "assert await act(1) == 1"),
        ("env = ActivityEnvironment()\n    await env.run(act, n=1)", "await act(n=1)"),
    ],
)
def test_step_is_called_as_a_function(migrate, before: str, after: str) -> None:
    done = migrate(HEAD.format(use=before))
    assert done.text.endswith(f"async def test_act():\n    {after}\n")
    assert "ActivityEnvironment" not in done.text


@pytest.mark.parametrize(
    "use",
    [
        "env = ActivityEnvironment()\n    env.cancel()",
        "env = ActivityEnvironment()\n    env.on_heartbeat = print\n    await env.run(act, 1)",
        "helper(ActivityEnvironment())",
        "await ActivityEnvironment().run(*act)",
    ],
)
def test_environment_that_is_configured_keeps_its_test(migrate, use: str) -> None:
    done = migrate(HEAD.format(use=use))
    assert "    " + use in done.text
    assert done.reasons


def test_fixture_that_stays_keeps_its_users_and_not_what_they_test(migrate) -> None:
    done = migrate(
        {
            "conftest.py": """
                import pytest
                from temporalio.testing import WorkflowEnvironment


                @pytest.fixture
                async def env():
                    return await WorkflowEnvironment.start_local()
                """,
            "act.py": """
                from temporalio import activity


                @activity.defn
                async def act(n: int) -> int:
                    return n
                """,
            "test_flow.py": """
                from temporalio.testing import ActivityEnvironment

                from act import act


                async def test_act(env):
                    assert await ActivityEnvironment().run(act, 1) == 1
                """,
        }
    )
    assert set(done.texts) == {"act.py"}
