from __future__ import annotations

import pytest

CASES = {
    "act(n)": "yield ctx.run(act, n)",
    "x = act(n)": "x = yield ctx.run(act, n)",
    "x: int = act(n)": "x: int = yield ctx.run(act, n)",
    "n += act(n)": "n += yield ctx.run(act, n)",
    "return act(n, *items, by=2)": "return (yield ctx.run(act, n, *items, by=2))",
    "x = act(act(n), by=act())": "x = yield ctx.run(act, (yield ctx.run(act, n)), by=(yield ctx.run(act)))",
    "print(f'{act(n)!r:>5}')": "print(f'{(yield ctx.run(act, n))!r:>5}')",
    "assert act(n), act()": "assert (yield ctx.run(act, n)), (yield ctx.run(act))",
    "raise ValueError(act(n))": "raise ValueError((yield ctx.run(act, n)))",
    "return n and act(n) or act()": "return n and (yield ctx.run(act, n)) or (yield ctx.run(act))",
    "return -act(n)": "return -(yield ctx.run(act, n))",
    "return act(n).real": "return (yield ctx.run(act, n)).real",
    "return items[act(n)]": "return items[(yield ctx.run(act, n))]",
    "if (x := act(n)) > 1:\n    print(x)": "if (x := (yield ctx.run(act, n))) > 1:\n    print(x)",
    "with open(key) as file:\n    act(n)": "with open(key) as file:\n    yield ctx.run(act, n)",
    "while act(n):\n    n -= 1": "while (yield ctx.run(act, n)):\n    n -= 1",
    "return [x for x in range(act(n))]": "return [x for x in range((yield ctx.run(act, n)))]",
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_step_call_in_each_place_becomes_a_run(body, before: str, after: str) -> None:
    assert body(before) == after


def test_awaited_step_in_an_async_workflow_becomes_a_run(body) -> None:
    assert body("return await act_async(n) + act(n)", is_async=True) == (
        "return (yield ctx.run(act_async, n)) + (yield ctx.run(act, n))"
    )


HELD = {
    "return sum(map(act, items))": "handed to other code",
    "f = lambda: act(n)\nreturn f()": "lambda",
    "def inner():\n    return act(n)\nreturn sorted(items, key=inner)": "other code calls",
}


@pytest.mark.parametrize(("before", "reason"), HELD.items())
def test_step_call_that_cannot_be_yielded_keeps_the_workflow(held, before: str, reason: str) -> None:
    assert reason in held(before)


@pytest.mark.parametrize(
    "before",
    [
        "task = asyncio.create_task(act_async(n))\nreturn await task",
        "pending = act_async(n)\nreturn await pending",
        "return await asyncio.wait_for(act_async(n), 5)",
    ],
)
def test_coroutine_that_is_kept_keeps_the_workflow(held, before: str) -> None:
    assert "not awaited where it is made" in held(before, is_async=True)


def test_step_in_a_table_keeps_workflows_that_call_through_variables(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        @DBOS.step()
        def act(n): return n

        TABLE = {"act": act}

        @DBOS.workflow()
        def flow(kind): return TABLE[kind](1)
        """
    )
    assert result.texts == {}
    assert "may run a step" in result.reasons[0]


def test_method_step_on_an_unknown_object_keeps_the_workflow(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        class Mailer:
            @DBOS.step()
            def send(self, text): return text

        @DBOS.workflow()
        def flow(mailer): return mailer.send("x")
        """
    )
    assert result.texts == {}


def test_step_called_by_a_step_and_by_a_script_stays_a_plain_call(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        @DBOS.step()
        def inner(n): return n

        @DBOS.step()
        def outer(n): return inner(n)

        print(outer(1), list(map(inner, [1])))
        """
    )
    assert "return inner(n)" in result.text
    assert "print(outer(1), list(map(inner, [1])))" in result.text


def test_method_that_reaches_a_step_on_an_unknown_object_keeps_the_workflow(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        @DBOS.step()
        def act(n): return n

        class Agent:
            def run(self, n): return act(n)

        @DBOS.workflow()
        def flow(agent):
            act(1)
            return agent.run(2)
        """
    )
    assert result.texts == {}
    assert "agent.run(...) may run a step" in result.reasons[0]


def test_method_of_a_known_object_that_reaches_a_step_becomes_a_generator(migrate) -> None:
    result = migrate(
        """
        from dbos import DBOS

        @DBOS.step()
        def act(n): return n

        class Agent:
            def run(self, n): return act(n)

        @DBOS.workflow()
        def flow(n):
            agent = Agent()
            return agent.run(n)
        """
    )
    assert "def run(self, ctx: Context, n): return (yield ctx.run(act, n))" in result.text
    assert "return (yield from agent.run(ctx, n))" in result.text
