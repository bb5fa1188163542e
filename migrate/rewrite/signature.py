"""Headers of functions and classes: parameters, return annotation, bases; broken like black would when too long."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from migrate.index.order import in_order
from migrate.rewrite.action import Action
from migrate.rewrite.output import is_multiline

if TYPE_CHECKING:
    from migrate.plan.edits import Edit
    from migrate.rewrite.concrete import Concrete
    from migrate.rewrite.render import Renderer


def header_actions(concrete: Concrete, node: ast.AST, changes: list[Edit]) -> list[Action]:
    """Return the actions for all changes of one header."""
    if isinstance(node, ast.ClassDef):
        return [_base(concrete, node, edit) for edit in changes]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    opening, closing = parameter_brackets(concrete, node)
    returns = next((edit for edit in changes if edit.verb == "returns"), None)
    end = concrete.outer_span(node.returns)[1] if node.returns is not None else closing + 1
    actions = [_parameter(concrete, node, edit, opening, closing) for edit in changes if edit.verb == "parameter"]

    def write(renderer: Renderer, before: str) -> str:
        inner = renderer.range(opening + 1, closing, closed=True)
        tail = ")"
        if returns is not None and returns.part is not None:
            tail += " -> " + renderer.argument(returns.part)
        elif node.returns is not None:
            tail += renderer.range(closing + 1, end)
        return lay_out(renderer, before, inner, tail + ":")[:-1]

    return [*actions, Action(opening, end, write)]


def lay_out(renderer: Renderer, before: str, inner: str, tail: str) -> str:
    """Return ``(inner`` and ``tail``, broken if the line would be too long."""
    flat = f"({inner}{tail}"
    if is_multiline(inner) or len(before) + len(flat) <= renderer.line_length:
        return flat
    indent = before[: len(before) - len(before.lstrip(" \t"))]
    deeper = indent + renderer.concrete.indent
    elements = split_elements(inner)
    joined = ", ".join(elements)
    if len(deeper) + len(joined) <= renderer.line_length and not any(one.startswith("*") for one in elements):
        return f"(\n{deeper}{joined}\n{indent}{tail}"
    lines = "".join(f"{deeper}{element},\n" for element in elements)
    return f"(\n{lines}{indent}{tail}"


def split_elements(text: str) -> list[str]:
    """Split at commas that stand in no bracket and no string."""
    elements, depth, quote, start = [], 0, "", 0
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote and text[place - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and not depth:
            elements.append(text[start:place].strip())
            start = place + 1
    elements.append(text[start:].strip())
    return [element for element in elements if element]


def parameter_brackets(concrete: Concrete, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """Return the offsets of the parentheses around a function's parameters."""
    start, end = concrete.span(node)
    match = re.compile(r"(?:async\s+)?def\s+\w+\s*").match(concrete.text, start, end)
    assert match is not None
    place = match.end()
    if concrete.text[place] == "[":  # type parameters
        place = concrete.find_code("(", concrete.closing_bracket(place), end)
    return place, concrete.closing_bracket(place)


def _parameter(
    concrete: Concrete, node: ast.FunctionDef | ast.AsyncFunctionDef, edit: Edit, opening: int, closing: int
) -> Action:
    plain = [*node.args.posonlyargs, *node.args.args]
    text = concrete.text
    receiver = plain[0] if plain and plain[0].arg in ("self", "cls") else None
    empty = not text[opening + 1 : closing].strip()
    part = edit.part
    assert part is not None
    if edit.where == "start" and receiver is not None:
        end = concrete.span(receiver)[1]
        start = concrete.span(receiver)[0]
        own_line = not text[concrete.line_start(start) : start].strip()
        separator = ",\n" + concrete.indentation(start) if own_line else ", "
        return Action(end, end, lambda renderer, _: separator + renderer.argument(part))
    if edit.where == "start" and not empty:
        place = opening + 1
        while text[place] in " \t\r\n":
            place += 1
        own_line = not text[concrete.line_start(place) : place].strip()
        behind = ",\n" + concrete.indentation(place) if own_line else ", "
        return Action(place, place, lambda renderer, _: renderer.argument(part) + behind)
    place = closing
    while text[place - 1] in " \t\r\n,":
        place -= 1
    separator = "" if empty else ", "
    return Action(place, place, lambda renderer, _: separator + renderer.argument(part))


def _base(concrete: Concrete, node: ast.ClassDef, edit: Edit) -> Action:
    part = edit.part
    assert part is not None
    bases = in_order(node.bases, node.keywords)
    if bases:
        end = concrete.outer_span(node.bases[-1])[1] if node.bases else concrete.outer_span(bases[0])[0]
        if node.bases:
            return Action(end, end, lambda renderer, _: ", " + renderer.argument(part))
        return Action(end, end, lambda renderer, _: renderer.argument(part) + ", ")
    match = re.compile(r"class\s+\w+\s*(\(\s*\))?").match(concrete.text, *concrete.span(node))
    assert match is not None
    end = match.end() if match[1] else len(match[0].rstrip()) + match.start()
    start = match.start(1) if match[1] else end
    return Action(start, end, lambda renderer, _: f"({renderer.argument(part)})")
