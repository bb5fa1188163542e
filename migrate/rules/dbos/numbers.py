"""Numbers as they are spelled in a program."""

from __future__ import annotations

import ast


def number_of(node: ast.expr | None) -> float | None:
    """Return the value of a numeric literal, or None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_of(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return None


def is_number(node: ast.expr | None) -> bool:
    """Tell whether a node is a numeric literal."""
    return number_of(node) is not None


def text_of(number: float) -> str:
    """Spell a number as a person would: no ``.0``."""
    return str(int(number)) if number == int(number) else repr(number)
