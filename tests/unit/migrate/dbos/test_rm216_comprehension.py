from __future__ import annotations

import pytest

LOOP = "for x in items:\n    {}.append((yield ctx.run(act, x)))"
CASES = {
    "r = [act(x) for x in items]\nreturn r": "r = []\n" + LOOP.format("r") + "\nreturn r",
    "r: list[int] = [act(x) for x in items]\nreturn r": "r: list[int] = []\n" + LOOP.format("r") + "\nreturn r",
    "return [act(x) for x in items]": "results = []\n" + LOOP.format("results") + "\nreturn results",
    "return sum(act(x) for x in items)": "results = []\n" + LOOP.format("results") + "\nreturn sum(results)",
    "return list(act(x) for x in items)": "results = []\n" + LOOP.format("results") + "\nreturn results",
    "items = [act(x) for x in items]": "results = []\n" + LOOP.format("results") + "\nitems = results",
    "return {act(x) for x in items}": (
        "results = set()\nfor x in items:\n    results.add((yield ctx.run(act, x)))\nreturn results"
    ),
    "r = {x: act(x) for x in items}": "r = {}\nfor x in items:\n    r[x] = yield ctx.run(act, x)",
    "r = [act(x) for xs in [items] if n for x in xs if x]": (
        "r = []\nfor xs in [items]:\n    if n:\n        for x in xs:\n            if x:\n"
        "                r.append((yield ctx.run(act, x)))"
    ),
    "r = [x for x in items if act(x)]": "r = []\nfor x in items:\n    if (yield ctx.run(act, x)):\n        r.append(x)",
    "r = [helper(x) for x in items]": "r = []\nfor x in items:\n    r.append((yield from helper(ctx, x)))",
    "print(n, len([act(x) for x in items]))": ("results = []\n" + LOOP.format("results") + "\nprint(n, len(results))"),
    "if [act(x) for x in items]:\n    print(n)": (
        "results = []\n" + LOOP.format("results") + "\nif results:\n    print(n)"
    ),
    "for y in [act(x) for x in items]:\n    print(y)": (
        "results = []\n" + LOOP.format("results") + "\nfor y in results:\n    print(y)"
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_comprehension_with_durable_calls_becomes_a_loop(body, before: str, after: str) -> None:
    assert body(before) == after


@pytest.mark.parametrize(
    "before",
    [
        "return any(act(x) for x in items)",
        "return n or [act(x) for x in items]",
        "return [act(x) for x in items] if n else []",
        "while [act(x) for x in items]:\n    n -= 1",
        "print(act(n), [act(x) for x in items])",
        "print(key.upper(), [act(x) for x in items])",
        "x = 1\nr = [act(x) for x in items]\nreturn x",
        "for _ in items:\n    print(x) if n > 5 else None\n    x = n\n    r = [act(x) for x in items]",
        "return [[act(x) for x in [y]] for y in items]",
        "r = (act(x) for x in items)\nreturn next(r)",
        "if n:\n    pass\nelif [act(x) for x in items]:\n    pass",
    ],
)
def test_comprehension_that_a_loop_would_change_keeps_the_workflow(held, before: str) -> None:
    assert "comprehension" in held(before)


def test_variable_that_hides_a_name_of_the_module_keeps_the_workflow(held) -> None:
    assert "comprehension" in held("print(queue)\nreturn [act(queue) for queue in items]")


def test_variable_bound_anew_by_a_later_loop_is_no_leak(body) -> None:
    assert "for x in items:" in body("r = [act(x) for x in items]\nfor x in r:\n    print(x)\nreturn [x for x in r]")


def test_comprehension_without_durable_calls_is_left_alone(body) -> None:
    assert body("act(n)\nreturn [x + 1 for x in items]") == "yield ctx.run(act, n)\nreturn [x + 1 for x in items]"
