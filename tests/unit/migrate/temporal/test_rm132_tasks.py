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
        f"return await asyncio.wait_for({ACT}, timeout=1)",
        "async with asyncio.timeout(1):\n    await workflow.sleep(2)",
        "lock = asyncio.Lock()",
        "await asyncio.to_thread(print)",
        f"task = asyncio.create_task({ACT})\nreturn task.done()",
        f"coro = {ACT}\ntask = asyncio.create_task(coro)\nreturn await task or await coro",
        "done, pending = await workflow.wait([n], return_when=asyncio.ALL_COMPLETED)",
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
