"""Durations: ``timedelta`` literals become the seconds that migrated code says.

A literal such as ``timedelta(minutes=5)`` becomes ``300``; a name keeps its name, because every option of the runtime
that takes seconds also takes a ``timedelta``.
"""

from __future__ import annotations

import ast
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.plan.fragments import Part

TIMEDELTA: Final = "datetime.timedelta"
#: Parameters of ``timedelta`` in order of position.
_UNITS: Final = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")
#: From here on digits are grouped, as black and ruff do not but readers do.
_GROUPED_FROM: Final = 10_000


def number_of(node: ast.expr) -> float | None:
    """Evaluate an expression of number literals and arithmetic; None for anything else."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = number_of(operand)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=operator, right=right):
            return _combine(number_of(left), operator, number_of(right))
    return None


def _combine(left: float | None, operator: ast.operator, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match operator:
        case ast.Mult():
            return left * right
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Div() if right:
            return left / right
    return None


def literal_seconds(node: ast.expr, resolve: Callable[[ast.expr], str]) -> float | None:
    """Return the seconds of a ``timedelta`` literal, or of a plain number; None if only the program knows."""
    if not isinstance(node, ast.Call):
        return number_of(node)
    if resolve(node.func) != TIMEDELTA or any(keyword.arg not in _UNITS for keyword in node.keywords):
        return None
    values = dict(zip(_UNITS, node.args, strict=False)) | {str(keyword.arg): keyword.value for keyword in node.keywords}
    numbers = {unit: number_of(value) for unit, value in values.items()}
    known = {unit: number for unit, number in numbers.items() if number is not None}
    return timedelta(**known).total_seconds() if len(known) == len(numbers) else None


def spell(seconds: float) -> str:
    """Write seconds as Python source: whole numbers without a point, digits grouped from five on."""
    if seconds == int(seconds):
        whole = int(seconds)
        return f"{whole:_}" if abs(whole) >= _GROUPED_FROM else str(whole)
    return repr(seconds)


def seconds_part(node: ast.expr, resolve: Callable[[ast.expr], str]) -> Part:
    """Return new code for a duration: a number where the source says one, else the user's own expression."""
    known = literal_seconds(node, resolve)
    if known is not None and isinstance(node, ast.Call):
        return spell(known)
    only = _only_seconds(node, resolve)
    return only if only is not None else node


def _only_seconds(node: ast.expr, resolve: Callable[[ast.expr], str]) -> ast.expr | None:
    """Return x of ``timedelta(seconds=x)``."""
    if isinstance(node, ast.Call) and not node.args and len(node.keywords) == 1 and resolve(node.func) == TIMEDELTA:
        keyword = node.keywords[0]
        return keyword.value if keyword.arg == "seconds" else None
    return None
