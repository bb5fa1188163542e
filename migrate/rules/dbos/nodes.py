"""Small questions about nodes of a program."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.index.model import Module


def awaited(module: Module, call: ast.Call) -> ast.expr:
    """Return the ``await`` around a call, else the call."""
    parent = module.parents.get(call)
    return parent if isinstance(parent, ast.Await) else call


def arguments(call: ast.Call) -> tuple[ast.expr | ast.keyword, ...]:
    """Return positional and named arguments in the order of the source."""
    return tuple(sorted([*call.args, *call.keywords], key=place_of))


def place_of(node: ast.AST) -> tuple[int, int]:
    """Return line and column, for comparing places of one file."""
    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))


def statement_of(module: Module, node: ast.AST) -> ast.stmt:
    """Return the innermost statement that ``node`` stands in."""
    current: ast.AST = node
    while not isinstance(current, ast.stmt):
        current = module.parents[current]
    return current


def keyword(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """Return an argument by name, or by position if it may be given so."""
    for entry in call.keywords:
        if entry.arg == name:
            return entry.value
    if position is not None and position < len(call.args) and not has_stars(call):
        return call.args[position]
    return None


def has_stars(call: ast.Call) -> bool:
    """Tell whether arguments are passed as ``*x`` or ``**x``."""
    return any(isinstance(arg, ast.Starred) for arg in call.args) or any(entry.arg is None for entry in call.keywords)


def count_arguments(call: ast.Call) -> int:
    """Return how many arguments are written."""
    return len(call.args) + len(call.keywords)


def is_in_async(module: Module, node: ast.AST) -> bool:
    """Tell whether ``node`` stands in the body of an async function."""
    function = module.function_around(node)
    return function is not None and function.is_async
