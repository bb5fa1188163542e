from __future__ import annotations

import pytest

MARKS = {
    "": "@step()",
    "name='load'": "@step(name='load')",
    "retries_allowed=False, max_attempts=9": "@step()",
    "retries_allowed=True": "@step(retry_policy=Backoff(1, max_attempts=3))",
    "retries_allowed=True, backoff_rate=2.0": "@step(retry_policy=Backoff(1, max_attempts=3))",
    "retries_allowed=True, backoff_rate=1": "@step(retry_policy=Backoff(1, factor=1, max_attempts=3))",
    "retries_allowed=True, interval_seconds=10, max_attempts=10": "@step(retry_policy=Backoff(10, max_attempts=10))",
    "retries_allowed=True, interval_seconds=10, max_attempts=11": (
        "@step(retry_policy=Backoff(10, max_delay=3600, max_attempts=11))"
    ),
    "retries_allowed=True, max_attempts=COUNT": "@step(retry_policy=Backoff(1, max_attempts=COUNT))",
    "retries_allowed=True, max_attempts=count()": (
        "@step(retry_policy=Backoff(1, max_delay=3600, max_attempts=count()))"
    ),
    "retries_allowed=ALLOWED": "@step(retry_policy=Backoff(1, max_attempts=3))",
    "timeout_seconds=5": "@step(attempt_timeout=5)",
    "preemptible=True": "@step()",
    "**OPTIONS": "@step(retry_policy=Backoff(0.5, max_attempts=3))",
}
HEAD = """
from dbos import DBOS

COUNT = 4
ALLOWED = True
OPTIONS = {"retries_allowed": True, "interval_seconds": 0.5}


def count(): return 3


"""


@pytest.mark.parametrize(("options", "mark"), MARKS.items())
def test_step_options_are_carried_over(migrate, options: str, mark: str) -> None:
    result = migrate(f"{HEAD}@DBOS.step({options})\ndef act(n): return n\n")
    assert mark in " ".join(result.text.split()).replace("( ", "(").replace(", )", ")")


@pytest.mark.parametrize(
    "options",
    ["should_retry=count", "retries_allowed=count()", "surprise=1", "**count()", "'name'"],
)
def test_step_options_that_cannot_be_read_keep_the_step(migrate, options: str) -> None:
    assert migrate(f"{HEAD}@DBOS.step({options})\ndef act(n): return n\n").texts == {}


@pytest.mark.parametrize("name", ["ctx", "context", "c", "_"])
def test_step_whose_first_parameter_looks_like_a_context_stays(migrate, name: str) -> None:
    assert "pass the context there" in migrate(f"{HEAD}@DBOS.step()\ndef act({name}): return 1\n").reasons[0]


def test_retried_step_is_told_to_raise_its_own_error(migrate) -> None:
    assert "RM551" in migrate(f"{HEAD}@DBOS.step(retries_allowed=True)\ndef act(n): return n\n").codes
