"""Turn the edits of a file into actions: a range of the file, and a function that writes what goes there."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from migrate.errors import FileProblem
from migrate.index.order import in_order
from migrate.rewrite.action import Action, Writer
from migrate.rewrite.blank_lines import removal_range
from migrate.rewrite.lists import element_ranges, list_around
from migrate.rewrite.signature import header_actions
from migrate.verify import MARKER

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.edits import Edit
    from migrate.rewrite.concrete import Concrete

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Verbs that change the header of a function or class.
_HEADER: Final = frozenset({"parameter", "returns", "base"})


class ActionMaker:
    """Makes the actions of one file."""

    def __init__(self, module: Module, concrete: Concrete) -> None:
        self.module = module
        self.concrete = concrete
        self.actions: list[Action] = []
        self._inserted: set[ast.AST] = set()

    def make(self, edits: list[Edit]) -> list[Action]:
        """Return the actions, sorted by place; at one place in the order of the edits."""
        removed = [edit.node for edit in edits if edit.verb == "remove"]
        headers: dict[ast.AST, list[Edit]] = defaultdict(list)
        replaced: dict[ast.AST, Edit] = {}
        self._inserted = {edit.node for edit in edits if edit.verb == "insert"}
        for edit in edits:
            if edit.verb == "replace":
                other = replaced.setdefault(edit.node, edit)
                if other is not edit and other.part != edit.part:
                    line = getattr(edit.node, "lineno", 1)
                    raise FileProblem(
                        "RM003", f"{other.code} and {edit.code} replace the same code differently", line=line
                    )
                if other is not edit:
                    continue
            if edit.verb in _HEADER:
                headers[edit.node].append(edit)
            elif edit.verb != "remove":
                getattr(self, "_" + edit.verb)(edit)
        for node, changes in headers.items():
            self.actions.extend(header_actions(self.concrete, node, changes))
        self._remove(removed)
        order = {id(action): index for index, action in enumerate(self.actions)}
        return sorted(self.actions, key=lambda one: (one.start, one.end > one.start, -one.end, order[id(one)]))

    def _add(self, start: int, end: int, write: Writer, node: ast.AST | None = None) -> None:
        self.actions.append(Action(start, end, write, node))

    # -- verbs

    def _replace(self, edit: Edit) -> None:
        node, part = edit.node, edit.part
        assert part is not None
        if isinstance(node, ast.stmt):
            start, end = self.statement_span(node)
            self._add(start, end, lambda renderer, before: renderer.statement(node, part, before), node)
        else:
            start, end = self.concrete.span(node)
            self._add(start, end, lambda renderer, before: renderer.expression(node, part, before), node)

    def _insert(self, edit: Edit) -> None:
        node, part = edit.node, edit.part
        assert part is not None
        where = edit.where
        if where in ("start", "end"):
            body: list[ast.stmt] = list(node.body)  # type: ignore[attr-defined]
            if where == "end":
                node, where = body[-1], "after"
            elif is_docstring(body[0]):
                node, where = body[0], "after"
            else:
                node, where = body[0], "before"
        start, end = self.statement_span(node)
        self._own_line(start)
        if edit.where == "start" and where == "before" and isinstance(part, ast.stmt) and is_docstring(part):
            start = self._first_comment(start)
        if where == "before":
            self._add(start, start, lambda renderer, _: renderer.lines_before(node, part))
        else:
            place = self.concrete.line_end(end)
            self._add(place, place, lambda renderer, before: renderer.lines_after(node, part, before))

    def _first_comment(self, start: int) -> int:
        """Return where the comments above a statement begin: a docstring goes before them."""
        line = self.concrete.line_start(start)
        while line:
            previous = self.concrete.line_start(line - 1)
            text = self.concrete.text[previous:line]
            if not text.lstrip().startswith("#"):
                break
            line = previous
            start = previous + len(text) - len(text.lstrip())
        return start

    def _rename(self, edit: Edit) -> None:
        name = str(edit.part)
        start, end = self.name_span(edit.node)
        self._add(start, end, lambda _renderer, _before: name)

    def _sync(self, edit: Edit) -> None:
        start, end = self.async_span(edit.node)
        self._add(start, end, lambda _renderer, _before: "")

    def _decorate(self, edit: Edit) -> None:
        part = edit.part
        assert part is not None
        start = self.concrete.span(edit.node)[0]
        self._add(start, start, lambda renderer, _: renderer.decorator(edit.node, part))

    def _argument(self, edit: Edit) -> None:
        node, part = edit.node, edit.part
        assert isinstance(node, ast.Call) and part is not None  # noqa: PT018 - one promise of the verbs
        elements = in_order(node.args, node.keywords)
        opening = self.concrete.find_code("(", self.concrete.outer_span(node.func)[1], self.concrete.span(node)[1])
        if not elements:
            self._add(opening + 1, opening + 1, lambda renderer, _: renderer.argument(part))
        elif edit.where == "start":
            start = self.concrete.outer_span(elements[0])[0]
            self._add(start, start, lambda renderer, _: renderer.argument(part) + renderer.separator(start))
        else:
            end = self.concrete.outer_span(elements[-1])[1]
            start = self.concrete.outer_span(elements[-1])[0]
            self._add(end, end, lambda renderer, _: renderer.separator(start) + renderer.argument(part))

    def _marker(self, edit: Edit) -> None:
        statement = self.statement_around(edit.node)
        start, _ = self.statement_span(statement)
        text = f"# {edit.code}: {edit.part}"
        indent = self.concrete.indentation(start)
        old = self._old_marker(start, edit.code)
        if old is not None:
            self._add(*old, lambda renderer, _: renderer.replaced_comment(old, text))
        else:
            self._add(start, start, lambda _renderer, _before: f"{text}\n{indent}")

    def _above_markers(self, line: int) -> int:
        """Return the start of the marker lines directly above a line."""
        while line:
            previous = self.concrete.line_start(line - 1)
            if not MARKER.match(self.concrete.text[previous:line].lstrip()):
                break
            line = previous
        return line

    def _old_marker(self, start: int, code: str) -> tuple[int, int] | None:
        """Return the marker of the same code among the comment lines above a statement."""
        line = self.concrete.line_start(start)
        while line:
            previous = self.concrete.line_start(line - 1)
            found = self.concrete.comments_in(previous, line)
            if not found or self.concrete.text[previous : found[0][0]].strip():
                return None
            if self.concrete.text.startswith(f"# {code}:", found[0][0]):
                return found[0]
            line = previous
        return None

    # -- removal

    def _remove(self, nodes: list[ast.AST]) -> None:
        gone = {id(node) for node in nodes}
        for container, elements in self._containers(nodes):
            ranges = element_ranges(self.concrete, container, elements, gone)
            for start, end, text in ranges:
                self._add(start, end, _constant(text))
        self._remove_blank_lines([node for node in nodes if isinstance(node, ast.stmt)], gone)
        for node in nodes:
            parent = self.module.parents.get(node)
            if isinstance(node, ast.stmt):
                self._remove_statement(node, gone)
            elif isinstance(parent, _DEFINITIONS) and node in parent.decorator_list:
                start = self.concrete.text.rindex("@", 0, self.concrete.outer_span(node)[0])
                self._add_line(start, self.concrete.outer_span(node)[1])

    def _containers(self, nodes: list[ast.AST]) -> list[tuple[ast.AST, list[ast.AST]]]:
        found: dict[ast.AST, list[ast.AST]] = {}
        for node in nodes:
            parent = self.module.parents.get(node)
            elements = list_around(parent, node) if parent is not None else None
            if parent is not None and elements is not None:
                found[parent] = elements
        return list(found.items())

    def _remove_statement(self, node: ast.stmt, gone: set[int]) -> None:
        start, end = self.statement_span(node)
        body = self.body_around(node)
        is_empty = all(id(other) in gone for other in body)
        if is_empty and node is body[0] and not self._is_module_body(node):
            self._add(start, end, _constant("pass"), node)
            return
        before = self.concrete.text[self.concrete.line_start(start) : start]
        behind = self.concrete.text[end : self.concrete.line_end(end)].strip()
        if before.strip() or (behind and not behind.startswith("#")):
            self._own_line(start)
        self._add_line(start, end, node)

    def _remove_blank_lines(self, nodes: list[ast.stmt], gone: set[int]) -> None:
        """Take out the blank lines around runs of removed statements that would be left twice, or open a block."""
        bodies = {id(body): body for body in map(self.body_around, nodes)}
        for body in bodies.values():
            for run in _runs(body, gone):
                start, end = self.statement_span(run[0])[0], self.concrete.span(run[-1])[1]
                comments = self.concrete.comments_in(start, self.concrete.line_end(end))
                if run == body or self._inserted.intersection(run) or comments:
                    continue
                first, last = removal_range(self.concrete, start, end, blanks=True)
                for one, other in ((first, self.concrete.line_start(start)), (self.concrete.line_end(end), last)):
                    if one < other:
                        self._add(one, other, _constant(""))

    def _add_line(self, start: int, end: int, node: ast.AST | None = None) -> None:
        """Take out whole lines, and the markers above that were about them."""
        first, last = self._above_markers(self.concrete.line_start(start)), self.concrete.line_end(end)
        comments = self.concrete.comments_in(end, last)
        indent = self.concrete.indentation(start)
        self._add(first, last, lambda renderer, _: renderer.kept_comments(comments, indent), node)

    def _own_line(self, start: int) -> None:
        line = self.concrete.line_start(start)
        if self.concrete.text[line:start].strip():
            number = self.concrete.text.count("\n", 0, start) + 1
            raise FileProblem("RM003", "several statements on one line: put them on lines of their own", line=number)

    # -- places

    def statement_span(self, node: ast.AST) -> tuple[int, int]:
        """Return the span of a statement with its decorators."""
        start, end = self.concrete.span(node)
        if isinstance(node, _DEFINITIONS) and node.decorator_list:
            first = self.concrete.outer_span(node.decorator_list[0])[0]
            start = self.concrete.text.rindex("@", 0, first)
        return start, end

    def statement_around(self, node: ast.AST) -> ast.stmt:
        """Return the statement that a node stands in."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            current = self.module.parents.get(current)
        assert current is not None
        return current

    def body_around(self, node: ast.stmt) -> list[ast.stmt]:
        """Return the list of statements that a statement is part of."""
        parent = self.module.parents.get(node)
        for _, value in ast.iter_fields(parent) if parent is not None else ():
            if isinstance(value, list) and any(item is node for item in value):
                return value
        return [node]

    def _is_module_body(self, node: ast.stmt) -> bool:
        return isinstance(self.module.parents.get(node), ast.Module)

    def name_span(self, node: ast.AST) -> tuple[int, int]:
        """Return where the name stands in a definition or parameter."""
        start, end = self.concrete.span(node)
        if isinstance(node, ast.arg):
            return start, start + len(node.arg)
        match = re.compile(r"(?:async\s+)?(?:def|class)\s+(\w+)").match(self.concrete.text, start, end)
        assert match is not None
        return match.span(1)

    def async_span(self, node: ast.AST) -> tuple[int, int]:
        """Return where ``async`` and the blanks behind it stand."""
        if isinstance(node, ast.comprehension):
            start = self.concrete.span(node.target)[0]
            place = self.concrete.text.rindex("async", 0, start)
        else:
            place = self.concrete.span(node)[0]
        match = re.compile(r"async\s+").match(self.concrete.text, place)
        assert match is not None
        return match.span()


def _runs(body: list[ast.stmt], gone: set[int]) -> list[list[ast.stmt]]:
    """Return the statements that go, in runs of neighbours."""
    runs: list[list[ast.stmt]] = []
    previous = False
    for node in body:
        if id(node) in gone:
            if previous:
                runs[-1].append(node)
            else:
                runs.append([node])
        previous = id(node) in gone
    return runs


def _constant(text: str) -> Writer:
    return lambda _renderer, _before: text


def is_docstring(node: ast.stmt) -> bool:
    """Tell whether a statement is a text by itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
