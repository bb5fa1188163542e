"""Where new code needs parentheses around it."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Final

from migrate.rewrite.output import finish

_TIGHT: Final = (
    ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.List, ast.Dict, ast.Set, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.JoinedStr, ast.GeneratorExp,
)  # fmt: skip
_YIELDS: Final = (ast.Yield, ast.YieldFrom)
#: Fields that take any expression but a ``yield``, a bare tuple, ``:=`` or ``*x`` as it is.
_LOOSE_FIELDS: Final = {
    ast.Call: ("args", "keywords"),
    ast.keyword: ("value",),
    ast.List: ("elts",),
    ast.Tuple: ("elts",),
    ast.Set: ("elts",),
    ast.Dict: ("keys", "values"),
    ast.Subscript: ("slice",),
    ast.Slice: ("lower", "upper", "step"),
    ast.FormattedValue: ("value",),
    ast.arg: ("annotation",),
    ast.arguments: ("defaults", "kw_defaults"),
    ast.FunctionDef: ("returns", "decorator_list"),
    ast.AsyncFunctionDef: ("returns", "decorator_list"),
    ast.ClassDef: ("bases", "keywords", "decorator_list"),
    ast.Return: ("value",),
    ast.Raise: ("exc", "cause"),
    ast.Assert: ("test", "msg"),
    ast.If: ("test",),
    ast.While: ("test",),
    ast.For: ("iter",),
    ast.AsyncFor: ("iter",),
    ast.withitem: ("context_expr",),
    ast.ExceptHandler: ("type",),
    ast.AnnAssign: ("annotation",),
    ast.Match: ("subject",),
    ast.match_case: ("guard",),
    ast.comprehension: (),
    ast.Lambda: ("body",),
    ast.NamedExpr: ("value",),
    ast.ListComp: ("elt",),
    ast.SetComp: ("elt",),
    ast.GeneratorExp: ("elt",),
    ast.DictComp: ("key", "value"),
    ast.Yield: ("value",),
    ast.YieldFrom: ("value",),
}
#: Statements whose value may be a bare ``yield`` or tuple.
_BARE: Final = {
    ast.Expr: ("value",),
    ast.Assign: ("value",),
    ast.AugAssign: ("value",),
    ast.AnnAssign: ("value",),
}


@lru_cache(maxsize=4096)
def kind_of(text: str) -> ast.expr | None:
    """Return the root of an expression's text, or None if it is not an expression by itself."""
    try:
        return ast.parse(f"(\n{finish(text)}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None


def needs_parentheses(inner: ast.AST, parent: ast.AST | None, child: ast.AST) -> bool:
    """Tell whether ``inner`` needs parentheses when it takes the place of ``child`` in ``parent``."""
    if isinstance(inner, _TIGHT) or not isinstance(inner, ast.expr) or parent is None:
        return isinstance(inner, ast.Constant) and _is_number_before_dot(inner, parent)
    field = field_of(parent, child)
    if isinstance(inner, ast.Starred):
        return False
    if field in _BARE.get(type(parent), ()):
        return isinstance(inner, ast.NamedExpr) or (isinstance(inner, ast.Tuple) and isinstance(parent, ast.AnnAssign))
    return _is_loose(inner, parent, field)


def _is_loose(inner: ast.expr, parent: ast.AST, field: str) -> bool:
    """Tell whether an expression that binds loosely needs parentheses in a field of ``parent``."""
    if isinstance(inner, (*_YIELDS, ast.NamedExpr)):
        return True
    if isinstance(inner, ast.Tuple):
        return not (isinstance(parent, ast.Return) or field == "slice")
    if isinstance(inner, ast.Lambda) and isinstance(parent, ast.FormattedValue):
        return True
    return field not in _LOOSE_FIELDS.get(type(parent), ())


def _is_number_before_dot(inner: ast.Constant, parent: ast.AST | None) -> bool:
    return (
        isinstance(parent, ast.Attribute)
        and isinstance(inner.value, (int, float))
        and not isinstance(inner.value, bool)
    )


def field_of(parent: ast.AST, child: ast.AST) -> str:
    """Return the name of the field of ``parent`` that holds ``child``."""
    for name, value in ast.iter_fields(parent):
        if value is child or (isinstance(value, list) and any(item is child for item in value)):
            return name
    return ""


def without_added_parentheses(text: str, old: str) -> str:
    """Take off the parentheses that an edit put around an expression for the place it stood in.

    The place it goes to may not need them, or will put its own.
    """
    if old.startswith("(") or not (text.startswith("(") and text.endswith(")")):
        return text
    inner = text[1:-1]
    return inner if isinstance(kind_of(inner), (*_YIELDS, ast.NamedExpr, ast.Await)) else text
