from __future__ import annotations

import pytest


def activity(decorator: str, signature: str = "async def act(n: int) -> int:") -> str:
    return f"from temporalio import activity\n\n\n{decorator}\n{signature}\n    return n\n"


@pytest.mark.parametrize(
    ("decorator", "mark"),
    [
        ("@activity.defn", "@step(retry_policy=Backoff(1, max_delay=100))"),
        ("@activity.defn()", "@step(retry_policy=Backoff(1, max_delay=100))"),
        ('@activity.defn(name="x")', '@step(name="x", retry_policy=Backoff(1, max_delay=100))'),
    ],
)
def test_definition_becomes_a_mark(migrate, decorator: str, mark: str) -> None:
    assert f"\n{mark}\nasync def act(n: int) -> int:\n    return n\n" in migrate(activity(decorator)).text


def test_plain_function_stays_plain_and_other_decorators_stay(migrate) -> None:
    source = activity("@other\n@activity.defn\n@another(1)", "def act(n):")
    assert "@other\n@step(retry_policy=Backoff(1, max_delay=100))\n@another(1)\ndef act(n):" in migrate(source).text


@pytest.mark.parametrize("name", ["ctx", "context", "c", "_"])
def test_first_parameter_that_the_runtime_would_take_keeps_the_program(migrate, name: str) -> None:
    done = migrate(activity("@activity.defn", f"def act({name}: dict, n: int) -> int:"))
    assert not done.texts
    assert f"called {name!r}" in done.reasons[0]


def test_method_may_have_any_first_parameter_after_self(migrate) -> None:
    source = activity("    @activity.defn", "    def act(self, n: int) -> int:\n        return n\n")
    source = source.replace("\n\n\n", "\n\n\nclass Desk:\n", 1).rsplit("\n    return n", 1)[0]
    assert "    @step(retry_policy=Backoff(1, max_delay=100))\n    def act(self, n: int)" in migrate(source).text


def test_dynamic_activity_keeps_the_program(migrate) -> None:
    done = migrate(activity("@activity.defn(dynamic=True)"))
    assert not done.texts
    assert "dynamic=...) has no counterpart" in done.reasons[0]


def test_thread_option_is_reported(migrate) -> None:
    done = migrate(activity("@activity.defn(no_thread_cancel_exception=True)", "def act(n: int) -> int:"))
    assert done.codes == ["RM503"]
    assert "@step(" in done.text
