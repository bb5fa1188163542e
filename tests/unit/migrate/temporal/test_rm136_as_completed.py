from __future__ import annotations

import pytest

START = "workflow.start_activity(act, i, start_to_close_timeout=timedelta(seconds=10))"
ACT = "workflow.execute_activity(act, i, start_to_close_timeout=timedelta(seconds=10))"
TASKS = f"tasks = [{START} for i in range(n)]"
LOOP = "waiting = list(tasks)\nwhile waiting:\n    index, {} = yield ctx.select(*waiting)\n    del waiting[index]\n"


@pytest.mark.parametrize(
    ("loop", "after"),
    [
        ("    x = await t\n    print(x)", LOOP.format("x") + "    print(x)"),
        ("    print(await t)", LOOP.format("value") + "    print(value)"),
        ("    await t\n    n += 1", LOOP.format("_") + "    n += 1"),
        ("    if await t:\n        break", LOOP.format("value") + "    if value:\n        break"),
    ],
)
@pytest.mark.parametrize("name", ["workflow.as_completed", "asyncio.as_completed"])
def test_loop_takes_what_comes_first(body, name: str, loop: str, after: str) -> None:
    assert body(f"{TASKS}\nfor t in {name}(tasks):\n{loop}").endswith(after)


@pytest.mark.parametrize(
    "tasks",
    [
        f"tasks = [{ACT} for i in range(n)]",
        f"tasks = []\nfor i in range(n):\n    tasks.append({ACT})",
        f"tasks = [asyncio.create_task({ACT}) for i in range(n)]",
    ],
)
def test_work_that_has_not_begun_is_begun_where_it_is_made(body, tasks: str) -> None:
    text = body(f"{tasks}\nfor t in workflow.as_completed(tasks):\n    print(await t)")
    assert "tasks.append((yield ctx.begin_run(act, i)))" in text


@pytest.mark.parametrize(
    "loop",
    [
        "for t in workflow.as_completed(tasks):\n    print(t)",
        "for t in workflow.as_completed(tasks):\n    n += 1\n    print(await t)",
        "for t in workflow.as_completed(tasks):\n    try:\n        await t\n    except Exception:\n        pass",
        "for t in workflow.as_completed(tasks):\n    await t\n    await t",
        "for t in workflow.as_completed(tasks):\n    await t\nelse:\n    n = 1",
        "for t in workflow.as_completed(tasks, timeout=5):\n    await t",
        "for t in workflow.as_completed(other(tasks)):\n    await t",
        "list(workflow.as_completed(tasks))",
        "return [await t for t in workflow.as_completed(tasks)]",
        "for t in workflow.as_completed(tasks):\n    await t\nprint(t)",
    ],
)
def test_loop_that_is_not_plain_keeps_the_program(held, loop: str) -> None:
    assert "what comes first" in held(f"{TASKS}\n{loop}")
