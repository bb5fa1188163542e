"""How long a file and a function may be, and what a module begins with."""

from __future__ import annotations

import ast
from typing import Final

from tests.tidy.tree import name_of, python_files, tree_of

FILE_LINES: Final = 600
FUNCTION_LINES: Final = 70
PACKAGES: Final = ("compat", "migrate", "resonate_core")
FOLDERS: Final = (*PACKAGES, "tests")


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function, its docstring left out."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_files_are_short():
    sizes = {name_of(path): len(path.read_text().splitlines()) for path in python_files(*FOLDERS)}
    assert not {name: size for name, size in sizes.items() if size > FILE_LINES}


def test_functions_are_short():
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": code_lines(node)
        for path in python_files(*FOLDERS)
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and code_lines(node) > FUNCTION_LINES
    }
    assert not long


def test_modules_begin_with_a_docstring():
    bare = []
    for path in python_files(*PACKAGES):
        body = tree_of(path).body
        if not ast.get_docstring(tree_of(path)) or body[0].lineno != 1:
            bare.append(name_of(path))
    assert not bare


def test_length_of_a_function_leaves_its_docstring_out():
    tree = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n')
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert code_lines(function) == 2
