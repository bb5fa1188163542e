from __future__ import annotations

import pytest

CALL = "await workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))"


def trying(handler: str, body: str = CALL) -> str:
    return f"try:\n    return {body}\n{handler}\n    return 0\n"


@pytest.mark.parametrize(
    "handler",
    ["except ActivityError:", "except ValueError:", "except (ValueError, KeyError) as error:", "except TimeoutError:"],
)
def test_handler_that_could_tell_a_raw_error_gets_wrapped_ones(workflow, handler: str) -> None:
    done = workflow(trying(handler))
    assert 'retry_policy=Backoff(1, max_delay=100), errors="wrapped")' in done.text


@pytest.mark.parametrize(
    "handler", ["except Exception:", "except:", "except BaseException:", "except asyncio.CancelledError:"]
)
def test_handler_that_cannot_tell_gets_raw_errors(workflow, handler: str) -> None:
    assert "wrapped" not in workflow(trying(handler)).text


def test_wrapper_class_becomes_step_error(workflow) -> None:
    done = workflow(trying("except ActivityError as error:"))
    assert "except StepError as error:" in done.text
    assert "temporalio" not in done.text


def test_cancellation_of_asyncio_becomes_cancelled_in_workflow_code_only(workflow) -> None:
    done = workflow(
        trying("except asyncio.CancelledError:"), more="def check(e):\n    return asyncio.CancelledError is e"
    )
    assert "except Cancelled:" in done.text
    assert "return asyncio.CancelledError is e" in done.text


def test_application_error_keeps_its_name_and_arguments(workflow) -> None:
    done = workflow(
        'raise ApplicationError("x", n, type="T", non_retryable=True, next_retry_delay=timedelta(seconds=5))'
    )
    assert 'raise ApplicationError("x", n, type="T", non_retryable=True, next_retry_delay=5)' in done.text
    assert "from resonate_core import ApplicationError" in done.text


def test_broad_handler_that_looks_at_the_error_is_noted(workflow) -> None:
    assert workflow(trying("except Exception as e:\n    print(e)")).codes == ["RM503", "RM508"]
    assert workflow(trying("except Exception as e:")).codes == ["RM503"]


def test_wait_with_a_picky_handler_needs_no_wrapper(workflow) -> None:
    done = workflow(f"try:\n    await workflow.sleep(1)\nexcept TimeoutError:\n    return 0\nreturn {CALL}")
    assert "wrapped" not in done.text


@pytest.mark.parametrize("name", ["FailureError", "TerminatedError", "TemporalError"])
def test_class_without_counterpart_keeps_the_program(migrate, name: str) -> None:
    done = migrate(f"from temporalio.exceptions import {name}\n\n\ndef f(e):\n    return isinstance(e, {name})\n")
    assert not done.texts
    assert f"temporalio.exceptions.{name} has no counterpart" in done.reasons[0]


FAILURES = "from temporalio.exceptions import FailureError, TemporalError"
ALL = "ApplicationError, StepError, ChildError"


@pytest.mark.parametrize(
    ("handler", "after"),
    [
        ("except FailureError as error:", f"except ({ALL}) as error:"),
        ("except (TemporalError, ActivityError, ValueError):", f"except ({ALL}, ValueError):"),
        ("except (ValueError, TemporalError, FailureError):", f"except ({ALL}, ValueError):"),
        ("except Exception as e:\n    print(isinstance(e, FailureError))", f"    print(isinstance(e, ({ALL})))"),
    ],
)
def test_base_of_all_failures_becomes_what_it_stands_for(workflow, handler: str, after: str) -> None:
    done = workflow(trying(handler), more=FAILURES)
    assert after in done.text
    assert 'errors="wrapped"' in done.text


def test_base_of_all_failures_that_is_raised_keeps_the_program(held) -> None:
    assert "outside of except and isinstance" in held(f"{CALL}\nraise FailureError('x')", more=FAILURES)


def test_timeout_error_of_temporal_is_python_s_own(workflow) -> None:
    more = "from temporalio.exceptions import TimeoutError as Late\n\n\ndef late(e):\n    return isinstance(e, Late)"
    done = workflow(trying("except Exception as e:\n    print(late(e))"), more=more)
    assert "return isinstance(e, TimeoutError)" in done.text
    assert "RM125" in done.codes


def test_cancellation_that_temporal_hides_in_another_error_is_noted(workflow) -> None:
    done = workflow(trying("except (CancelledError, ValueError):"))
    assert "except (Cancelled, ValueError):" in done.text
    assert "RM125" in done.codes
