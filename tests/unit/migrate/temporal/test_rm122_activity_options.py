from __future__ import annotations

import pytest

TEN = "start_to_close_timeout=timedelta(seconds=10)"


def mark_of(text: str) -> str:
    return next(line for line in text.split("\n") if line.startswith("@step"))


@pytest.mark.parametrize(
    ("policy", "mark"),
    [
        ("", "Backoff(1, max_delay=100)"),
        ("retry_policy=RetryPolicy(),", "Backoff(1, max_delay=100)"),
        ("retry_policy=None,", "Backoff(1, max_delay=100)"),
        ("retry_policy=RetryPolicy(maximum_attempts=0),", "Backoff(1, max_delay=100)"),
        ("retry_policy=RetryPolicy(maximum_attempts=3),", "Backoff(1, max_attempts=3)"),
        ("retry_policy=RetryPolicy(maximum_attempts=8),", "Backoff(1, max_attempts=8)"),
        ("retry_policy=RetryPolicy(maximum_attempts=9),", "Backoff(1, max_delay=100, max_attempts=9)"),
        ("retry_policy=RetryPolicy(timedelta(seconds=2)),", "Backoff(2, max_delay=200)"),
        ("retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2)),", "Backoff(2, max_delay=200)"),
        ("retry_policy=RetryPolicy(backoff_coefficient=2.0),", "Backoff(1, max_delay=100)"),
        ("retry_policy=RetryPolicy(backoff_coefficient=1),", "Backoff(1, factor=1, max_delay=100)"),
        ("retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),", "Backoff(1, max_delay=60)"),
        (
            'retry_policy=RetryPolicy(maximum_attempts=2, non_retryable_error_types=["A"]),',
            'Backoff(1, max_attempts=2, non_retryable=["A"])',
        ),
        ("retry_policy=RetryPolicy(non_retryable_error_types=None),", "Backoff(1, max_delay=100)"),
    ],
)
def test_retry_policy_becomes_a_backoff_that_says_what_was_silent(workflow, policy: str, mark: str) -> None:
    done = workflow(f"await workflow.execute_activity(act, n, {policy} {TEN})")
    assert mark_of(done.text) == f"@step(attempt_timeout=10, retry_policy={mark})"
    assert "yield ctx.run(act, n)\n" in done.text


def test_single_attempt_is_a_mark_without_retry_policy(workflow) -> None:
    done = workflow(f"await workflow.execute_activity(act, n, retry_policy=RetryPolicy(maximum_attempts=1), {TEN})")
    assert mark_of(done.text) == "@step(attempt_timeout=10)"


def test_attempts_of_a_variable_stay_endless_for_zero(body) -> None:
    text = body(f"await workflow.execute_activity(act, n, retry_policy=RetryPolicy(maximum_attempts=n), {TEN})")
    assert "retry_policy=Backoff(1, max_delay=100, max_attempts=n or None)" in text


def test_limits_of_one_attempt_and_of_all_are_told_apart(workflow) -> None:
    done = workflow(
        "await workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=3),"
        " schedule_to_close_timeout=timedelta(minutes=1), heartbeat_timeout=timedelta(seconds=1))"
    )
    assert "attempt_timeout=3, heartbeat_timeout=1" in mark_of(done.text)
    assert "yield ctx.run(act, n).options(timeout=60)" in done.text


def test_most_frequent_value_moves_to_the_mark(workflow) -> None:
    done = workflow(
        f"""
        await workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=5))
        await workflow.execute_activity(act, n, {TEN})
        return await workflow.execute_activity(act, n, {TEN})
        """
    )
    assert "attempt_timeout=10" in mark_of(done.text)
    assert "yield ctx.run(act, n).options(attempt_timeout=5)\n" in done.text
    assert "return (yield ctx.run(act, n))\n" in done.text


def test_limit_that_one_call_lacks_stays_at_the_calls(workflow) -> None:
    done = workflow(
        f"""
        await workflow.execute_activity(act, n, {TEN})
        await workflow.execute_activity(act, n, schedule_to_close_timeout=timedelta(seconds=5))
        """
    )
    assert "attempt_timeout" not in mark_of(done.text)
    assert "yield ctx.run(act, n).options(attempt_timeout=10)\n" in done.text


def test_constant_that_the_activity_sees_moves_by_its_name(workflow) -> None:
    done = workflow("await workflow.execute_activity(act, n, start_to_close_timeout=LIMIT)")
    assert mark_of(done.text) == "@step(attempt_timeout=LIMIT, retry_policy=Backoff(1, max_delay=100))"


def test_constant_below_the_activity_stays_at_the_call(migrate) -> None:
    done = migrate("""
        from datetime import timedelta
        from temporalio import activity, workflow

        @activity.defn
        async def act(n: int) -> int:
            return n

        LATE = timedelta(seconds=3)

        @workflow.defn
        class Flow:
            @workflow.run
            async def run(self, n: int) -> int:
                return await workflow.execute_activity(act, n, start_to_close_timeout=LATE)
        """)
    assert "ctx.run(act, n).options(attempt_timeout=LATE)" in done.text


def test_policy_constant_of_one_attempt_becomes_never(migrate) -> None:
    done = migrate("from temporalio.common import RetryPolicy\n\nONCE = RetryPolicy(maximum_attempts=1)\n")
    assert done.text == "from resonate_core import Never\n\nONCE = Never()\n"


def test_policy_in_annotations_and_local_variables_follows(workflow) -> None:
    done = workflow(
        f"""
        policy: RetryPolicy = RetryPolicy(maximum_attempts=n)
        return await workflow.execute_activity(act, n, retry_policy=policy, {TEN})
        """
    )
    assert "policy: Backoff = Backoff(1, max_delay=100, max_attempts=n or None)" in done.text
    assert "options(retry_policy=policy)" in done.text


def test_options_from_elsewhere_keep_the_program(held) -> None:
    assert "mapping built elsewhere" in held("await workflow.execute_activity(act, n, **dict(a=n))")


def test_dictionary_used_for_something_else_keeps_the_program(held) -> None:
    reasons = held(
        """
        options = {"start_to_close_timeout": LIMIT}
        await workflow.execute_activity(act, n, **options)
        return len(options)
        """
    )
    assert "used for something else too" in reasons


def test_unknown_option_keeps_the_program(held) -> None:
    assert "option color= of an activity call is unknown" in held("await workflow.execute_activity(act, n, color=1)")


def test_options_without_counterpart_are_reported(workflow) -> None:
    done = workflow(
        f'await workflow.execute_activity(act, n, summary="s", activity_id="a", {TEN},'
        " cancellation_type=workflow.ActivityCancellationType.ABANDON)"
    )
    assert sorted(done.codes) == ["RM503", "RM512", "RM512"]
    assert "yield ctx.run(act, n)\n" in done.text


FROM = "return await workflow.execute_activity(act, n, **{})"


@pytest.mark.parametrize(
    ("splat", "more", "after"),
    [
        (
            "opts(3)",
            "def opts(s: int) -> dict:\n    return {'start_to_close_timeout': timedelta(seconds=s), 'summary': 'x'}",
            'def opts(s: int) -> dict:\n    return {"attempt_timeout": s}',
        ),
        (
            "TABLE['slow']",
            "TABLE = {'slow': dict(start_to_close_timeout=LIMIT), 'fast': dict(start_to_close_timeout=LIMIT)}",
            "TABLE = {'slow': dict(attempt_timeout=LIMIT), 'fast': dict(attempt_timeout=LIMIT)}",
        ),
        (
            "{**BASE, 'heartbeat_timeout': LIMIT}",
            "BASE = workflow.ActivityConfig(start_to_close_timeout=LIMIT, retry_policy=None)",
            "BASE = dict(attempt_timeout=LIMIT, retry_policy=Backoff(1, max_delay=100))",
        ),
        (
            "(BASE | dict(schedule_to_close_timeout=LIMIT))",
            "BASE = {'start_to_close_timeout': LIMIT}",
            'BASE = {"attempt_timeout": LIMIT}',
        ),
        (
            "Options.slow",
            "class Options:\n    slow = dict(start_to_close_timeout=LIMIT)",
            "class Options:\n    slow = dict(attempt_timeout=LIMIT)",
        ),
    ],
)
def test_options_are_followed_to_where_they_are_said(workflow, splat: str, more: str, after: str) -> None:
    done = workflow(FROM.format(splat), more=more)
    assert after in done.text, done.reasons


def test_options_that_are_put_in_later_are_renamed_too(body) -> None:
    text = body(f"o = {{'start_to_close_timeout': LIMIT}}\nif n:\n    o['retry_policy'] = None\n{FROM.format('o')}")
    assert text == (
        "o = {\"attempt_timeout\": LIMIT}\nif n:\n    o['retry_policy'] = Backoff(1, max_delay=100)\n"
        "return (yield ctx.run(act, n).options(**o))"
    )


def test_policy_that_is_there_sometimes_leaves_the_default_to_the_mark(workflow) -> None:
    done = workflow(
        f"o = {{}}\nif n:\n    o['retry_policy'] = RetryPolicy(maximum_attempts=2)\n{FROM.format('o')}",
        more=f"""
        @workflow.defn
        class Other:
            @workflow.run
            async def run(self, n: int) -> int:
                return await workflow.execute_activity(act, n, {TEN}, retry_policy=RetryPolicy(maximum_attempts=2))
        """,
    )
    assert "@step(retry_policy=Backoff(1, max_delay=100))" in done.text
    assert "ctx.run(act, n).options(**o)" in done.text


def test_policy_that_is_there_sometimes_is_said_before_it_for_a_step_of_others(body) -> None:
    text = body(
        "o = {}\nif n:\n    o['retry_policy'] = RetryPolicy(maximum_attempts=2)\n"
        "await workflow.execute_activity('other', n, **o)"
    )
    assert '**{"retry_policy": Backoff(1, max_delay=100), **o}' in text


def test_options_handed_on_are_renamed_where_they_are_said(workflow) -> None:
    more = "async def call(n: int, **options) -> int:\n    return await workflow.execute_activity(act, n, **options)"
    done = workflow("return await call(n, start_to_close_timeout=LIMIT)", more=more)
    assert "return (yield from call(ctx, n, attempt_timeout=LIMIT))" in done.text


def test_dictionary_that_is_handed_on_is_followed_to_the_caller(workflow) -> None:
    more = "async def call(n: int, o: dict) -> int:\n    return await workflow.execute_activity(act, n, **o)"
    done = workflow("return await call(n, {'start_to_close_timeout': LIMIT})", more=more)
    assert 'return (yield from call(ctx, n, {"attempt_timeout": LIMIT}))' in done.text


@pytest.mark.parametrize(
    ("splat", "more"),
    [
        ("opts()", "def opts():\n    return dict(zip('a', 'b'))"),
        ("opts()", "def opts():\n    return"),
        ("opts()", "def opts():\n    return opts()"),
        ("BASE", "BASE = {'task_queue': 'other'}"),
        ("BASE", "BASE = {'start_to_close_timeout': LIMIT}\nprint(BASE)"),
        ("BASE", "BASE = {'start_to_close_timeout': LIMIT}\nBASE = {}"),
        ("opts()", "def opts():\n    return {'start_to_close_timeout': LIMIT}\n\n\nprint(opts())"),
        ("Options.slow", "class Options:\n    slow = {}\n\n\nclass More(Options):\n    slow = {}"),
        ("Options.slow", "class Options:\n    slow = {}\n\n\nprint(Options.slow)"),
        ("n", ""),
    ],
)
def test_options_that_others_look_at_or_that_are_computed_keep_the_program(held, splat: str, more: str) -> None:
    reasons = held(FROM.format(splat), more=more)
    assert "mapping built elsewhere" in reasons or "used for something else too" in reasons


@pytest.mark.parametrize(
    ("policy", "after"),
    [
        ("policy", "policy or Backoff(1, max_delay=100)"),
        ("None if n else policy", "Backoff(1, max_delay=100) if n else (policy or Backoff(1, max_delay=100))"),
    ],
)
def test_policy_that_may_be_none_falls_back_to_what_temporal_does(workflow, policy: str, after: str) -> None:
    done = workflow(
        "return await call(n)",
        more=f"""
        async def call(n: int, policy: RetryPolicy | None = None) -> int:
            return await workflow.execute_activity(act, n, {TEN}, retry_policy={policy})
        """,
    )
    assert f"retry_policy={after}" in done.text


def test_dictionary_that_is_handed_to_who_does_not_look_at_it_is_renamed(workflow) -> None:
    done = workflow(
        "o = {'start_to_close_timeout': LIMIT}\nif not n:\n    return given(n, o)\n" + FROM.format("o"),
        more="def given(n: int, o: dict) -> int:\n    return n",
    )
    assert 'o = {"attempt_timeout": LIMIT}' in done.text
