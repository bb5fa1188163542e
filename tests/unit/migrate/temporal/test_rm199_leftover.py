from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "use",
    [
        "from temporalio.common import SearchAttributeKey\n\nKEY = SearchAttributeKey.for_keyword('k')\n",
        "from temporalio import nexus\n\nprint(nexus)\n",
        "import temporalio.runtime\n\nprint(temporalio.runtime.Runtime)\n",
        "from temporalio.client import Interceptor\n\n\nclass Mine(Interceptor):\n    pass\n",
        "from temporalio import workflow\n\nlogger = workflow.logger\nlogger.info('x')\n",
    ],
)
def test_name_that_no_rule_knows_keeps_its_unit_and_is_named(migrate, use: str) -> None:
    done = migrate(use)
    assert not done.texts
    assert "has no counterpart" in done.reasons[0]


def test_unit_that_hangs_on_such_a_name_stays_too(migrate) -> None:
    done = migrate(
        {
            "keys.py": "from temporalio.common import SearchAttributeKey as K\n\nKEY = K.for_keyword('k')\n",
            "steps.py": (
                "from keys import KEY\nfrom temporalio import activity\n\n\n"
                "@activity.defn\nasync def one() -> None:\n    print(KEY)\n\n\n"
                "@activity.defn\nasync def two() -> None: ...\n"
            ),
        }
    )
    assert set(done.texts) == {"steps.py"}
    assert "@activity.defn\nasync def one()" in done.texts["steps.py"]
    assert "@step(retry_policy=Backoff(1, max_delay=100))\nasync def two()" in done.texts["steps.py"]


def test_names_in_strings_and_comments_are_nobody_s_business(migrate) -> None:
    assert not migrate("TEXT = 'from temporalio import workflow'  # temporalio.workflow.defn\n").reasons
