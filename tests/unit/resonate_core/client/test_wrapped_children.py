"""``errors="wrapped"``: what is durable is a child, also without a single yield; what is not is a step."""

import pytest

from resonate_core import ApplicationError, ChildError, Context, Resonate, StepError, durable, entry, step


@durable()
def child_without_yield(ctx: Context):
    raise ApplicationError("plain", type="Bad")


@durable()
def child_with_yield(ctx: Context):
    yield ctx.sleep(0)
    raise ApplicationError("generator", type="Bad")


@durable()
class ChildClass:
    @entry
    def run(self, ctx: Context):
        raise ApplicationError("class", type="Bad")


@step()
def failing_step():
    raise ApplicationError("step", type="Bad")


@durable()
def parent(ctx: Context, name):
    function = {"plain": child_without_yield, "generator": child_with_yield, "class": ChildClass, "step": failing_step}
    try:
        yield ctx.rpc(function[name]).options(errors="wrapped")
    except (ChildError, StepError) as error:
        return f"{type(error).__name__} {error.cause.type} {error.cause.message}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "ChildError Bad plain"),
        ("generator", "ChildError Bad generator"),
        ("class", "ChildError Bad class"),
        ("step", "StepError Bad step"),
    ],
)
def test_wrapped_error_of_a_remote_call_names_what_it_was(name, expected):
    with Resonate.local() as resonate:
        resonate.register(parent, child_without_yield, child_with_yield, ChildClass, failing_step)
        assert resonate.run("parent-1", parent, name) == expected
