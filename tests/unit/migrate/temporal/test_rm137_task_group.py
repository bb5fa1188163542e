from __future__ import annotations

import pytest

ACT = "workflow.execute_activity(act, n, start_to_close_timeout=timedelta(seconds=10))"
GROUP = "async with asyncio.TaskGroup() as group:\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"    a = group.create_task({ACT})\nreturn a.result()",
            "a = yield ctx.begin_run(act, n)\nyield ctx.gather(a)\nreturn (yield a)",
        ),
        (
            f"    group.create_task({ACT}, name='x')",
            "begun = []\nbegun.append((yield ctx.begin_run(act, n)))\nyield ctx.gather(*begun)",
        ),
        (
            f"    a = [group.create_task({ACT}) for i in [n]]\nreturn [t.result() for t in a]",
            (
                "a = []\nfor i in [n]:\n    a.append((yield ctx.begin_run(act, n)))\nyield ctx.gather(*a)\n"
                "results = []\nfor t in a:\n    results.append((yield t))\nreturn results"
            ),
        ),
    ],
)
def test_group_becomes_begins_and_a_gather(body, before: str, after: str) -> None:
    assert body(GROUP + before) == after


def test_group_over_a_list_that_is_filled_in_a_loop_gathers_the_list(body) -> None:
    text = body(f"xs = []\n{GROUP}    for i in range(n):\n        xs.append(group.create_task({ACT}))")
    assert text.endswith("    xs.append((yield ctx.begin_run(act, n)))\nyield ctx.gather(*xs)")


def test_errors_of_a_group_are_noted(workflow) -> None:
    assert workflow(f"{GROUP}    a = group.create_task({ACT})\nreturn await a").codes == ["RM137"]


@pytest.mark.parametrize(
    "source",
    [
        f"{GROUP}    other(group)\n    a = group.create_task({ACT})",
        f"{GROUP}    a = {{n: group.create_task({ACT})}}",
        f"{GROUP}    a = group.create_task({ACT}, context=None)",
        f"{GROUP}    coro = {ACT}\n    a = group.create_task(coro)",
        f"{GROUP}    a = group.create_task({ACT})\n    a = group.create_task({ACT})",
        f"async with asyncio.TaskGroup() as group, n:\n    a = group.create_task({ACT})",
        (
            f"try:\n    async with asyncio.TaskGroup() as group:\n        a = group.create_task({ACT})\n"
            "except* ValueError:\n    pass"
        ),
    ],
)
def test_group_that_is_not_plain_keeps_the_program(held, source: str) -> None:
    assert "group" in held(source)
