"""Elements of comma-separated lists: which ranges go when some are taken out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate.rewrite.concrete import Concrete


#: Nodes with one list of elements, and its field.
_PLAIN_LISTS: Final = (
    ((ast.List, ast.Tuple, ast.Set), "elts"),
    ((ast.Import, ast.ImportFrom), "names"),
    ((ast.With, ast.AsyncWith), "items"),
)


def list_around(parent: ast.AST, node: ast.AST) -> list[ast.AST] | None:
    """Return the comma-separated list that ``node`` is an element of, in source order, or None."""
    if isinstance(parent, ast.Call):
        return _in_order([*parent.args, *parent.keywords]) if node is not parent.func else None
    if isinstance(parent, ast.ClassDef):
        bases = [*parent.bases, *parent.keywords]
        return _in_order(bases) if node in bases else None
    if isinstance(parent, ast.arguments) and isinstance(node, ast.arg):
        return _in_order([*parent.posonlyargs, *parent.args, *parent.kwonlyargs])
    for kinds, field in _PLAIN_LISTS:
        if isinstance(parent, kinds) and node in getattr(parent, field):
            return list(getattr(parent, field))
    return None


def _in_order(nodes: list[ast.AST]) -> list[ast.AST]:
    return sorted(nodes, key=lambda one: (one.lineno, one.col_offset))  # type: ignore[attr-defined]


def element_ranges(
    concrete: Concrete, parent: ast.AST, elements: list[ast.AST], gone: set[int]
) -> list[tuple[int, int, str]]:
    """Return ranges to take out, each with the text to leave there."""
    spans = [_element_span(concrete, parent, element) for element in elements]
    ranges: list[tuple[int, int, str]] = []
    index = 0
    while index < len(elements):
        if id(elements[index]) not in gone:
            index += 1
            continue
        last = index
        while last + 1 < len(elements) and id(elements[last + 1]) in gone:
            last += 1
        if last + 1 < len(elements):
            ranges.append((spans[index][0], spans[last + 1][0], ""))
        elif index > 0:
            text = "," if isinstance(parent, ast.Tuple) and index == 1 and not _comma(concrete, spans[last][1]) else ""
            ranges.append((spans[index - 1][1], spans[last][1], text))
        else:
            ranges.append((spans[0][0], _comma(concrete, spans[last][1]) or spans[last][1], ""))
        index = last + 1
    return ranges


def _element_span(concrete: Concrete, parent: ast.AST, node: ast.AST) -> tuple[int, int]:
    start, end = concrete.outer_span(node)
    if isinstance(parent, ast.arguments) and isinstance(node, ast.arg):
        default = _default(parent, node)
        if default is not None:
            end = concrete.outer_span(default)[1]
    return start, end


def _default(parent: ast.arguments, node: ast.arg) -> ast.expr | None:
    plain = [*parent.posonlyargs, *parent.args]
    if node in plain:
        place = plain.index(node) - (len(plain) - len(parent.defaults))
        return parent.defaults[place] if place >= 0 else None
    return parent.kw_defaults[parent.kwonlyargs.index(node)] if node in parent.kwonlyargs else None


def _comma(concrete: Concrete, place: int) -> int:
    """Return the place behind a comma that follows, or 0."""
    text = concrete.text
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place + 1 if text[place : place + 1] == "," else 0
