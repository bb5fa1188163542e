"""Write a file with its actions applied; everything outside of them is copied.

The renderer remembers which ranges of the old text it copied. A name whose place was not copied is gone, and so is a
comment: lost comments are put above the statement they stood in, in a second round.
"""

from __future__ import annotations

import ast
import re
import textwrap
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.rewrite.fragments import FragmentWriter, Place
from migrate.rewrite.output import INSIDE, finish, is_multiline, last_line
from migrate.rewrite.parens import kind_of, needs_parentheses, without_added_parentheses
from migrate.rewrite.quotes import quote_of, with_other_quotes
from migrate.verify import may_go

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.rewrite.action import Action
    from migrate.rewrite.concrete import Concrete

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Written:
    """What an action wrote.

    Attributes:
        action: the action; held, so that its identity stays its own.
        before: what stood on the line.
        text: what it wrote.
        kept: ranges of the old text that are in it.
        inner: how many actions were inside its range.
    """

    action: Action
    before: str
    text: str
    kept: list[tuple[int, int]]
    inner: int


@dataclass
class Memory:
    """What rounds over one file share.

    Attributes:
        inside: offsets of lines that begin inside a string literal.
        written: what the outermost actions wrote, by their identity.
    """

    inside: list[int]
    written: dict[int, Written] = field(default_factory=dict)


class Renderer:
    """Writes one file.

    Attributes:
        concrete: offsets.
        kept: ranges of the old text that were copied.
    """

    def __init__(
        self,
        module: Module,
        concrete: Concrete,
        actions: list[Action],
        line_length: int,
        memory: Memory,
    ) -> None:
        """Prepare a round.

        Args:
            module: the file's index.
            concrete: offsets.
            actions: what to write, sorted.
            line_length: width of new code.
            memory: what earlier rounds over the same file found and wrote.
        """
        self.module = module
        self.concrete = concrete
        self.kept: list[tuple[int, int]] = []
        self._actions = actions
        self._starts = [action.start for action in actions]
        self._memory = memory.written
        self._busy: set[int] = set()
        self._replaced = (0, 0)
        self._texts: dict[tuple[ast.AST, bool, int], str] = {}
        self._being_replaced: set[ast.AST | None] = set()
        self._inside = memory.inside
        self._hole_end: int | None = None
        self._is_guessing = False
        self._holes: list[int] = []
        self._fragments = FragmentWriter(concrete, self, line_length)

    def file(self) -> str:
        """Return the whole file's new text."""
        return finish(self.range(0, len(self.concrete.text)))

    @property
    def line_length(self) -> int:
        """Width that new code keeps to, where it is written now."""
        return self._fragments.length

    # -- copying

    def range(self, start: int, end: int, before: str = "", *, closed: bool = False) -> str:
        """Return a range of the old text with the actions in it applied.

        Args:
            start: offset.
            end: offset behind it.
            before: what stands on the output line already.
            closed: insertions at ``end`` belong to the range.
        """
        out: list[str] = []
        line = before
        place = start
        for action in self._within(start, end, closed=closed):
            if action.start < place:
                continue  # inside one that was written already
            copied = self._copy(place, action.start)
            line = last_line(line + copied)
            outer, self._replaced = self._replaced, (action.start, action.end)
            text = self._write(action, line.replace(INSIDE, ""))
            self._replaced = outer
            out += [copied, text]
            line = last_line(line + text)
            place = action.end
        out.append(self._copy(place, end))
        return "".join(out)

    def _write(self, action: Action, line: str) -> str:
        """Write an action; the outermost ones are remembered for the next round over the same file."""
        if self._busy:
            return self._write_now(action, line)
        known = self._memory.get(id(action))
        inner = bisect_right(self._starts, action.end) - bisect_left(self._starts, action.start)
        if known is not None and known.before == line and known.inner == inner:
            self.kept.extend(known.kept)
            return known.text
        first = len(self.kept)
        text = self._write_now(action, line)
        self._memory[id(action)] = Written(action, line, text, self.kept[first:], inner)
        return text

    def _write_now(self, action: Action, line: str) -> str:
        self._busy.add(id(action))
        self._being_replaced.add(action.node)
        text = self._newlines(action.write(self, line))
        self._being_replaced.discard(action.node)
        self._busy.discard(id(action))
        return text

    def _within(self, start: int, end: int, *, closed: bool) -> list[Action]:
        found = self._actions[bisect_left(self._starts, start) : bisect_right(self._starts, end)]
        closed = closed or end == len(self.concrete.text)
        return [
            action
            for action in found
            if id(action) not in self._busy
            and action.end <= end
            and (action.start < end or closed)
            and not (action.start == action.end and action.start in self._holes)
        ]

    def _copy(self, start: int, end: int) -> str:
        if start >= end:
            return ""
        self.kept.append((start, end))
        first, last = bisect_left(self._inside, start), bisect_left(self._inside, end)
        text = self.concrete.text
        if first == last:
            return text[start:end]
        pieces, place = [], start
        for mark in self._inside[first:last]:
            pieces += [text[place:mark], INSIDE]
            place = mark
        return "".join([*pieces, text[place:end]])

    def _newlines(self, text: str) -> str:
        if self.concrete.newline == "\n" or "\n" not in text:
            return text
        return re.sub(r"\r?\n", lambda _: self.concrete.newline, text)

    # -- originals, for holes

    def node(self, node: ast.AST, length: int) -> str:
        """Return a node's text with its edits; with the user's parentheses if it needs them to span lines."""
        key = node, node in self._being_replaced, length  # a template may hold the very node it replaces
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._node(node)
        return text

    def _node(self, node: ast.AST) -> str:
        outer, self._hole_end = self._hole_end, self.concrete.outer_span(node)[1]
        if isinstance(node, ast.expr):  # what goes above a statement that begins with it is no part of the hole
            self._holes.append(self.concrete.span(node)[0])
        text = self._node_in_hole(node)
        if isinstance(node, ast.expr):
            self._holes.pop()
        self._hole_end = outer
        return text

    def _node_in_hole(self, node: ast.AST) -> str:
        start, end = self.concrete.span(node)
        before = self.concrete.indentation(start)  # where it will stand is not known yet: assume that there is room
        text = without_added_parentheses(self.range(start, end, before), self.concrete.text[start:end])
        outer = self.concrete.outer_span(node) if is_multiline(text) else (start, end)
        return self.range(*outer, before) if outer != (start, end) and self.may_claim(outer) else text

    def body(self, node: ast.AST) -> str:
        """Return the body of a compound statement, from its first line on."""
        statements: list[ast.stmt] = node.body  # type: ignore[attr-defined]
        header = self.concrete.line_end(self._header_end(node))
        start = self._with_comments_above(self._statement_start(statements[0]), header)
        return self._lines(start, self.concrete.span(statements[-1])[1])

    def whole(self, node: ast.stmt) -> str:
        """Return a statement with its decorators and the comments above it."""
        start = self._with_comments_above(self._statement_start(node), self._replaced[0])
        return self._lines(start, self.concrete.span(node)[1])

    def _lines(self, start: int, end: int) -> str:
        indent = self.concrete.indentation(start)
        last = self.concrete.line_end(end)
        trailing = self.concrete.comments_in(end, last)
        if trailing and self.may_claim(trailing[0]):
            end = trailing[0][1]
        outer, self._hole_end = self._hole_end, None
        far = self._end_of_removal(start, end)
        text = self.range(start, end, indent) if far == end else self.range(start, far, indent).rstrip()
        self._hole_end = outer
        return text

    def _end_of_removal(self, start: int, end: int) -> int:
        """Return where a removal of the last statement in a range ends: with its line, which is behind the range."""
        found = self._actions[bisect_left(self._starts, start) : bisect_left(self._starts, end)]
        return max([end, *(action.end for action in found if id(action) not in self._busy)])

    def _statement_start(self, node: ast.stmt) -> int:
        start = self.concrete.span(node)[0]
        if isinstance(node, _DEFINITIONS) and node.decorator_list:
            first = self.concrete.outer_span(node.decorator_list[0])[0]
            start = self.concrete.text.rindex("@", 0, first)
        return start

    def _header_end(self, node: ast.AST) -> int:
        first: ast.stmt = node.body[0]  # type: ignore[attr-defined]
        start = self._statement_start(first)
        return self.concrete.text.rindex(":", 0, self._with_comments_above(start, 0, blank=True))

    def _with_comments_above(self, start: int, limit: int, *, blank: bool = False) -> int:
        """Return the start of the comment lines directly above a statement, or the statement's own start."""
        line = self.concrete.line_start(start)
        if self.concrete.text[line:start].strip():
            return start
        best = line
        while best > limit:
            previous = self.concrete.line_start(best - 1)
            text = self.concrete.text[previous:best].strip()
            if not (text.startswith("#") and self.concrete.comments_in(previous, best)) and not (blank and not text):
                break
            best = previous
        indent = self.concrete.text[best:]
        return best + len(indent) - len(indent.lstrip(" \t\f"))

    def may_claim(self, span: tuple[int, int]) -> bool:
        """Tell whether a comment is inside the range that is being replaced, so that nobody else copies it."""
        return self._replaced[0] <= span[0] and span[1] <= self._replaced[1]

    def keep_comment(self, span: tuple[int, int]) -> str:
        """Copy a comment to another place."""
        return self._copy(*span)

    # -- what actions write

    def expression(self, node: ast.AST, part: Part, before: str) -> str:
        """Return new code for an expression's place."""
        text = self._fragments.write(part, self._place(node, before))
        if self._is_in_f_string(node):
            place = self.concrete.span(node)[0]
            literal = next(span for span in self.concrete.strings if span[0] < place < span[1])
            text = with_other_quotes(text, quote_of(self.concrete.text[slice(*literal)]), getattr(node, "lineno", 1))
        parent = self.module.parents.get(node)
        if self.concrete.shares_parentheses(node, parent):
            return f"({text})"
        if isinstance(node, ast.expr) and not self.concrete.is_parenthesized(node):
            inner = kind_of(text)
            if inner is not None and needs_parentheses(inner, parent, node):
                return f"({text})"
        return text

    def _is_in_f_string(self, node: ast.AST) -> bool:
        current = self.module.parents.get(node)
        while current is not None and not isinstance(current, (ast.stmt, ast.JoinedStr)):
            current = self.module.parents.get(current)
        return isinstance(current, ast.JoinedStr)

    def _place(self, node: ast.AST, before: str) -> Place:
        end = self.concrete.span(node)[1]
        last = self.concrete.line_end(max(end - 1, 0))
        follows = 0
        if self._hole_end is not None and self._hole_end < last:
            last, follows = max(end, self._hole_end), 1  # what the template puts behind it: a comma, a parenthesis
        comments = self.concrete.comments_in(end, last)
        rest = self._width(end, comments[0][0] if comments else last)
        return Place(before[: len(before) - len(before.lstrip(" \t"))], before, rest + follows)

    def _width(self, start: int, end: int) -> int:
        """Say how much will stand on the rest of a line: edits in it count where they make it shorter."""
        width = len(self.concrete.text[start:end].rstrip())
        if self._is_guessing or not self._within(start, end, closed=False):
            return width
        self._is_guessing, first = True, len(self.kept)
        text = self.range(start, end)
        del self.kept[first:]
        self._is_guessing = False
        return width if "\n" in text else min(width, len(text.rstrip()))

    def statement(self, node: ast.stmt, part: Part, before: str) -> str:
        """Return new code for a statement's place."""
        start, end = self.concrete.span(node)
        rest = self.concrete.text[end : self.concrete.line_end(max(end - 1, start))].strip()
        text = self._fragments.write(part, Place(before if not before.strip() else "", before, 0))
        shares_line = bool(before.strip()) or (bool(rest) and not rest.startswith("#"))
        if shares_line and "\n" in text and not _is_simple_statement(text):
            from migrate.errors import FileProblem  # noqa: PLC0415 - the rare case

            raise FileProblem(
                "RM003", "several statements on one line: put them on lines of their own", line=node.lineno
            )
        return text

    def lines_before(self, node: ast.AST, part: Part) -> str:
        """Return statements that go above ``node``."""
        indent = self._indent_of(node)
        return f"{self._fragments.write(part, Place(indent, indent, 0))}\n{indent}"

    def lines_after(self, node: ast.AST, part: Part, before: str) -> str:
        """Return statements that go below ``node``."""
        indent = self._indent_of(node)
        written = self._fragments.write(part, Place(indent, indent, 0))
        text = written if written.startswith("\n") else indent + written
        return f"\n{text}" if before else f"{text}\n"

    def decorator(self, node: ast.AST, part: Part) -> str:
        """Return a decorator line."""
        indent = self.concrete.indentation(self.concrete.span(node)[0])
        return f"@{self._fragments.write(part, Place(indent, indent + '@', 0))}\n{indent}"

    def argument(self, part: Part) -> str:
        """Return one argument or parameter."""
        return self._fragments.write_argument(part, Place("", "", 0))

    def separator(self, start: int) -> str:
        """Return what goes between the element at ``start`` and a new neighbour."""
        line = self.concrete.text[self.concrete.line_start(start) : start]
        return ", " if line.strip() else f",\n{line}"

    def replaced_comment(self, _old: tuple[int, int], text: str) -> str:
        """Return a marker that takes the place of an older one."""
        return text

    def kept_comments(self, comments: list[tuple[int, int]], indent: str) -> str:
        """Return the comments of removed lines, on lines of their own; those for tools go."""
        texts = [self.concrete.text[start:end] for start, end in comments]
        kept = [span for span, text in zip(comments, texts, strict=True) if not may_go(text)]
        return "".join(f"{indent}{self.keep_comment(span)}\n" for span in kept)

    def _indent_of(self, node: ast.AST) -> str:
        return self.concrete.indentation(self.concrete.span(node)[0])

    # -- what is left

    def keeps(self, start: int, end: int) -> bool:
        """Tell whether a range of the old text was copied."""
        return any(first <= start and end <= last for first, last in self.kept)

    def lost_comments(self) -> list[tuple[int, int]]:
        """Return the comments that were not copied anywhere, those for tools excepted."""
        text = self.concrete.text
        gone = [span for span in self.concrete.comments if not self.keeps(*span)]
        return [span for span in gone if not may_go(text[span[0] : span[1]])]


def _is_simple_statement(text: str) -> bool:
    """Tell whether text over several lines is one statement that may share its line."""
    try:
        body = ast.parse(textwrap.dedent(finish(text))).body
    except SyntaxError:
        return False
    return len(body) == 1 and not hasattr(body[0], "body")


def lines_inside_strings(module: Module, concrete: Concrete) -> list[int]:
    """Return the offsets of lines that begin inside a string literal; docstrings move with their body."""
    docstrings = {concrete.span(node)[0] for node in _docstrings(module)}
    found: set[int] = set()
    for start, end in concrete.strings:
        if start in docstrings:
            continue
        place = concrete.text.find("\n", start, end)
        while place >= 0:
            found.add(place + 1)
            place = concrete.text.find("\n", place + 1, end)
    return sorted(found)


def _docstrings(module: Module) -> list[ast.Constant]:
    found = []
    for node in module.definitions:
        first = node.body[0]  # type: ignore[attr-defined]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            found.append(first.value)
    return found
