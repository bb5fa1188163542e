"""One file: edits in, new text out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from migrate.limits import LINE_LENGTH_MAX, LINE_LENGTH_MIN
from migrate.rewrite.action import Action
from migrate.rewrite.actions import ActionMaker
from migrate.rewrite.concrete import Concrete
from migrate.rewrite.imports import ImportEditor
from migrate.rewrite.render import Memory, Renderer, lines_inside_strings

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rewrite.change import Change

#: Comments that were lost inside lost code climb one statement per round.
_ROUNDS_MAX = 12


def rewrite(module: Module, change: Change) -> str:
    """Return the file's new text.

    Raises:
        FileProblem: an edit cannot be made.
    """
    concrete = Concrete(module.source, module.tree)
    width = change.line_length or own_line_length(module.source.lines)
    maker = ActionMaker(module, concrete)
    actions = maker.make(change.edits)
    memory = Memory(lines_inside_strings(module, concrete))
    first = Renderer(module, concrete, actions, width, memory)
    text = first.file()
    actions = merge(actions, ImportEditor(module, concrete, first, width).actions(change, text))
    for level in range(_ROUNDS_MAX):
        renderer = Renderer(module, concrete, actions, width, memory)
        text = renderer.file()
        lost = renderer.lost_comments()
        if not lost:
            break
        actions = merge(actions, [_rescue(maker, renderer, span, level) for span in lost])
    return text


def own_line_length(lines: list[str]) -> int:
    """Return the width a file keeps to: its longest line of code, within reason."""
    longest = max((len(line) for line in lines if len(line) <= LINE_LENGTH_MAX), default=0)
    return max(longest, LINE_LENGTH_MIN)


def merge(first: list[Action], second: list[Action]) -> list[Action]:
    """Join two lists of actions in order of their places."""
    order = {id(action): index for index, action in enumerate([*second, *first])}
    return sorted([*first, *second], key=lambda one: (one.start, one.end > one.start, -one.end, order[id(one)]))


def _rescue(maker: ActionMaker, renderer: Renderer, span: tuple[int, int], level: int) -> Action:
    """Put a comment above the statement it stood in, or further out if that is gone as well."""
    concrete = renderer.concrete
    statement = _innermost(maker, span, level)
    start = maker.statement_span(statement)[0] if statement is not None else 0
    line = concrete.line_start(start)
    indent = concrete.indentation(start)
    return Action(line, line, lambda one, _: f"{indent}{one.keep_comment(span)}\n")


def _innermost(maker: ActionMaker, span: tuple[int, int], level: int) -> ast.stmt | None:
    chain = [node for node in ast.walk(maker.module.tree) if isinstance(node, ast.stmt) and _holds(maker, node, span)]
    return chain[max(len(chain) - 1 - level, 0)] if chain else None  # ``walk`` gives outer statements first


def _holds(maker: ActionMaker, node: ast.stmt, span: tuple[int, int]) -> bool:
    start, end = maker.statement_span(node)
    return maker.concrete.line_start(start) <= span[0] and span[1] <= maker.concrete.line_end(end)
