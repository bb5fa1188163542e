from __future__ import annotations

import pytest

ACT = "workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))"


def test_task_of_an_activity_is_begun_and_yielded(body) -> None:
    text = body(f"task = asyncio.create_task({ACT})\nawait workflow.sleep(1)\nreturn await task")
    assert text == "task = yield ctx.begin_run(act, n)\nyield ctx.sleep(1)\nreturn (yield task)"


def test_list_of_tasks_becomes_a_loop(body) -> None:
    text = body(f"tasks = [asyncio.create_task({ACT}) for i in range(n)]\nreturn await asyncio.gather(*tasks)")
    assert "tasks.append((yield ctx.begin_run(act, n)))" in text
    assert "return (yield ctx.gather(*tasks))" in text


def test_cancelled_task_is_cancelled_by_a_command(body) -> None:
    text = body(f"task = asyncio.create_task({ACT})\ntask.cancel()")
    assert text == "task = yield ctx.begin_run(act, n)\nyield ctx.cancel(task)"


def test_task_of_a_coroutine_made_above_is_begun_where_the_task_is_made(body) -> None:
    text = body(f"coro = {ACT}\ntask = asyncio.create_task(coro)\nreturn await task")
    assert text == "coro = ctx.begin_run(act, n)\ntask = yield coro\nreturn (yield task)"


def test_tasks_of_coroutines_in_a_list_are_begun_one_by_one(body) -> None:
    body_ = f"coros = [{ACT} for i in range(n)]\ntasks = [asyncio.create_task(c) for c in coros]\nawait tasks[0]"
    text = body(body_)
    assert text.startswith("coros = [ctx.begin_run(act, n) for i in range(n)]\ntasks = []\nfor c in coros:\n")
    assert "    tasks.append((yield c))" in text


def test_time_against_a_condition_becomes_a_wait_with_a_limit(body) -> None:
    text = body(
        "await workflow.wait([asyncio.create_task(workflow.sleep(timedelta(seconds=9))),"
        " asyncio.create_task(workflow.wait_condition(lambda: n > 1))], return_when=asyncio.FIRST_COMPLETED)"
    )
    assert text == "try:\n    yield ctx.wait_until(lambda: n > 1, timeout=9)\nexcept TimeoutError:\n    pass"


@pytest.mark.parametrize(
    "source",
    [
        "lock = asyncio.Lock()",
        "await asyncio.to_thread(print)",
        f"task = asyncio.create_task({ACT})\nreturn task.done()",
        f"coro = {ACT}\ntask = asyncio.create_task(coro)\nreturn await task or await coro",
        "done, pending = await workflow.wait([n], return_when=asyncio.ALL_COMPLETED)",
        "done, pending = await workflow.wait(n, return_when=asyncio.FIRST_COMPLETED)",
        f"tasks = [asyncio.create_task({ACT})]\nawait asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)",
        f"tasks = [asyncio.create_task({ACT})]\nreturn [t.done() for t in tasks]",
        f"tasks = [asyncio.create_task({ACT})]\ntasks[0].add_done_callback(print)",
        "await asyncio.create_task(n.work())",
        "task = asyncio.create_task(n.work())",
    ],
)
def test_other_uses_of_the_loop_keep_the_program(held, source: str) -> None:
    assert held(source)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"asyncio.create_task({ACT})", 'yield ctx.begin_run(act, n).options(parent_close="cancel")'),
        (f"task = asyncio.create_task({ACT})", 'task = yield ctx.begin_run(act, n).options(parent_close="cancel")'),
        (
            "workflow.start_activity(act, n, start_to_close_timeout=timedelta(seconds=10))",
            'yield ctx.begin_run(act, n).options(parent_close="cancel")',
        ),
    ],
)
def test_work_that_nobody_waits_for_ends_with_the_workflow(body, before: str, after: str) -> None:
    assert body(before) == after


def test_type_of_a_task_in_a_workflow_becomes_a_promise(migrate) -> None:
    done = migrate("""
        import asyncio
        from temporalio import workflow


        @workflow.defn
        class Flow:
            timer: asyncio.Task[None]

            @workflow.run
            async def run(self) -> None:
                self.timer = asyncio.create_task(asyncio.sleep(1))
                tasks: list[asyncio.Task] = [self.timer]
                await tasks[0]


        def other(task: asyncio.Task[None]) -> None:
            print(task)
        """)
    assert "    timer: Promise\n" in done.text
    assert "tasks: list[Promise] = [self.timer]" in done.text
    assert "def other(task: asyncio.Task[None])" in done.text


TASKS = "tasks = []\nfor i in range(n):\n    tasks.append((yield ctx.begin_run(act, n)))\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await asyncio.wait(tasks)", "yield ctx.gather(*tasks, return_exceptions=True)"),
        (
            "done, _ = await asyncio.wait(tasks)\nreturn [d.result() for d in done]",
            (
                "yield ctx.gather(*tasks, return_exceptions=True)\ndone, _ = tasks, []\n"
                "results = []\nfor d in done:\n    results.append((yield d))\nreturn results"
            ),
        ),
        (
            (
                "done, rest = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)\n"
                "for t in rest:\n    t.cancel()\nreturn done[0].result()"
            ),
            (
                "index, _ = yield ctx.select(*tasks)\n"
                "done, rest = tasks[index : index + 1], tasks[:index] + tasks[index + 1 :]\n"
                "for t in rest:\n    yield ctx.cancel(t)\nreturn (yield done[0])"
            ),
        ),
        (
            "done, rest = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=5)",
            (
                "index, _ = yield ctx.select(*tasks, (yield ctx.begin_sleep(5)))\n"
                "done, rest = tasks[index : index + 1], tasks[:index] + tasks[index + 1 :]"
            ),
        ),
    ],
)
def test_wait_over_a_list_of_tasks(body, before: str, after: str) -> None:
    begun = TASKS.replace("n)))", 'n).options(parent_close="cancel")))') if "select" in after else TASKS
    assert body(f"tasks = [asyncio.create_task({ACT}) for i in range(n)]\n{before}") == begun + after


def test_wait_for_all_of_some_names_gathers_them(body) -> None:
    tasks = f"a = asyncio.create_task({ACT})\nb = asyncio.create_task({ACT})\n"
    text = body(f"{tasks}await workflow.wait([a, b])\nreturn a.result()")
    assert text.endswith("yield ctx.gather(a, b, return_exceptions=True)\nreturn (yield a)")


def test_those_that_did_not_come_first_are_what_is_left(body) -> None:
    wait = "done, rest = await workflow.wait([a, b], return_when=asyncio.FIRST_COMPLETED)\nreturn len(rest)"
    text = body(f"a = asyncio.create_task({ACT})\nb = asyncio.create_task({ACT})\n{wait}")
    assert "done = {(a, b)[index]}\nrest = {a, b} - done" in text


def test_coroutine_that_is_begun_here_and_awaited_there_keeps_the_program(held) -> None:
    more = f"def made(n):\n    return {ACT}"
    assert "awaited elsewhere" in held("t = asyncio.create_task(made(n))\nawait made(n)\nreturn await t", more=more)


def test_coroutine_of_a_plain_function_that_is_always_begun_begins(workflow) -> None:
    done = workflow("t = asyncio.create_task(made(n))\nreturn await t", more=f"def made(n):\n    return {ACT}")
    assert "def made(ctx: Context, n):\n    return ctx.begin_run(act, n)" in done.text
    assert "t = yield made(ctx, n)" in done.text


CHILD = "workflow.execute_child_workflow('C', n{})"


@pytest.mark.parametrize(
    ("work", "after"),
    [
        (CHILD.format(""), "yield ctx.begin_rpc('C', n).options(parent_close=\"terminate\")"),
        (
            CHILD.format(", parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL"),
            "yield ctx.begin_rpc('C', n).options(parent_close=\"cancel\")",
        ),
        (CHILD.format(", parent_close_policy=workflow.ParentClosePolicy.ABANDON"), "yield ctx.detached('C', n)"),
    ],
)
def test_child_that_is_begun_and_forgotten_ends_as_its_policy_says(body, work: str, after: str) -> None:
    marker = "# RM507: the worker of this child must move to Resonate too"
    assert body(f"asyncio.create_task({work})\nreturn n") == f"{marker}\n{after}\nreturn n"


def test_loser_of_a_race_ends_with_the_workflow(body) -> None:
    tasks = f"a = asyncio.create_task({ACT})\nb = asyncio.create_task({ACT})\n"
    text = body(f"{tasks}done, _ = await workflow.wait([a, b], return_when=asyncio.FIRST_COMPLETED)\nreturn await a")
    assert "a = yield ctx.begin_run(act, n)\n" in text
    assert 'b = yield ctx.begin_run(act, n).options(parent_close="cancel")' in text


def test_method_of_what_came_out_of_tasks_is_nobody_s_business(body) -> None:
    tasks = f"tasks = [asyncio.create_task({ACT}) for i in range(n)]\n"
    text = body(f"{tasks}for one in await asyncio.gather(*tasks):\n    one.cancel()")
    assert text.endswith("for one in (yield ctx.gather(*tasks)):\n    one.cancel()")


def test_future_that_nobody_can_settle_waits_for_ever(body) -> None:
    text = body("try:\n    await asyncio.Future()\nfinally:\n    await workflow.sleep(1)")
    assert text == "try:\n    yield ctx.wait_until(lambda: False)\nfinally:\n    yield ctx.sleep(1)"


@pytest.mark.parametrize("source", ["f = asyncio.Future()\nawait f", "f: asyncio.Future[int] = n\nawait f"])
def test_future_that_somebody_may_settle_keeps_the_program(held, source: str) -> None:
    assert "asyncio.Future in workflow code" in held(source)
