from __future__ import annotations

import ast

import pytest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f('a')", "a"),
        ("f('a' 'b')", "ab"),
        ("f(3)", 3),
        ("f({'a': [1]})", {"a": [1]}),
        ("NAME = 'a'\nf(NAME)", "a"),
        ("class Q:\n    MAIN = 'a'\nf(Q.MAIN)", "a"),
        ("class Q:\n    MAIN = 'a'\nf(Q.MAIN.value)", "a"),
        ("class P:\n    X = 1\nclass Q(P): ...\nf(Q.X)", 1),
        ("from other import NAME as N\nf(N)", "far"),
        ("import other\nf(other.NAME)", "far"),
        ("from other import Q\nf(Q.MAIN)", "deep"),
    ],
)
def test_literal_value_is_found_through_constants(project, text, expected):
    made = project({"a.py": f"import sdk\n{text}\n", "other.py": "NAME = 'far'\nclass Q:\n    MAIN = 'deep'\n"})
    assert made.literal(made.modules["a"], argument(made)).value == expected


@pytest.mark.parametrize(
    "text", ["f(f'{x}')", "f(g())", "N = 'a'\nN = 'b'\nf(N)", "def g(n):\n    f(n)", "f(unknown)", "A = B\nB = A\nf(A)"]
)
def test_literal_value_that_is_not_plain_is_none(project, text):
    made = project({"a.py": f"import sdk\n{text}\n"})
    assert made.literal(made.modules["a"], argument(made)) is None


def argument(made):
    calls = [node for node in ast.walk(made.modules["a"].tree) if isinstance(node, ast.Call)]
    return next(node for node in calls if getattr(node.func, "id", "") == "f").args[0]
