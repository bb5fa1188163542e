"""The concrete tree of a file: where every expression, comment, string and parenthesis stands, in characters.

libcst parses and prints the file once; its printer tells the offset of each node on the way. That gives what ``ast``
does not know (comments, parentheses, positions inside f-strings before Python 3.12) and proves that both trees mean the
same text. libcst drops a form feed before code and the like; those characters are put back by aligning its output with
the text, and a file that differs in anything but blanks is left alone.
"""

from __future__ import annotations

import ast
import sys
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from migrate.errors import FileProblem
from migrate.index.order import KIND_OF, children, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.source import SourceFile

_RECORDED = (cst.Comment, cst.LeftParen, cst.RightParen, cst.SimpleString, cst.FormattedString)
_IN_TEXTS = {cst.Name: "name", cst.Attribute: "attribute", cst.Call: "call", cst.Await: "await"}


class _Offsets(CodegenState):
    """A printer that keeps the offsets of the nodes that matter."""

    def __init__(self, indent: str, newline: str) -> None:
        super().__init__(default_indent=indent, default_newline=newline)
        self.place = 0
        self.starts: list[int] = []
        self.found: dict[type, list[tuple[int, int]]] = {kind: [] for kind in _RECORDED}
        self.texts: list[_Text] = []
        self.inside: list[_Text] = []

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.place += len(value)

    def add_indent_tokens(self) -> None:
        for value in self.indent_tokens:
            self.add_token(value)

    def pop_trailing_newline(self) -> None:
        if self.tokens:
            self.place -= len(self.tokens.pop())

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.starts.append(self.place)
        kind = type(node)
        if kind is cst.FormattedString:
            self.inside.append(_Text(self.place))
        elif self.inside and kind in _IN_TEXTS:
            self.inside[-1].enter(_IN_TEXTS[kind], node)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self.starts.pop()
        kind = type(node)
        if kind in self.found:
            self.found[kind].append((start, self.place))
        if kind is cst.FormattedString:
            self.texts.append(self.inside.pop())

    def record_syntactic_position(self, node: cst.CSTNode, **_: Any) -> Any:
        return _Recorder(self, node) if self.inside else _NOTHING


class _Text:
    """The expressions of one f-string, by kind, in source order."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.order: dict[str, list[cst.CSTNode]] = {}
        self.spans: dict[cst.CSTNode, tuple[int, int]] = {}

    def enter(self, kind: str, node: cst.CSTNode) -> None:
        self.order.setdefault(kind, []).append(node)


class _Recorder:
    def __init__(self, state: _Offsets, node: cst.CSTNode) -> None:
        self.state, self.node = state, node

    def __enter__(self) -> None:
        self.start = self.state.place

    def __exit__(self, *_: object) -> None:
        self.state.inside[-1].spans[self.node] = (self.start, self.state.place)


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


_NOTHING = _Nothing()


class Concrete:
    """Offsets of one file.

    Attributes:
        comments: spans of comments, in order.
        strings: spans of string literals, in order.
        opening: offsets of grouping parentheses.
        closing: offsets just behind closing grouping parentheses.
        indent: the file's unit of indentation.
        newline: the file's most common line end.
    """

    def __init__(self, source: SourceFile, tree: ast.Module) -> None:
        """Parse and print ``source`` with libcst.

        Raises:
            FileProblem: libcst cannot parse the file, or prints something else.
        """
        self.text = source.text
        module = _parse(self.text)
        state = _Offsets(module.default_indent, module.default_newline)
        try:
            module._codegen(state)  # noqa: SLF001 - the one hook that tells where each node is printed
        except RecursionError:
            raise FileProblem("RM004", "nested too deeply to be rewritten") from None
        self.indent, self.newline = module.default_indent, module.default_newline
        at = alignment("".join(state.tokens), self.text)
        self.comments = [(at(start), at(end)) for start, end in state.found[cst.Comment]]
        texts = state.found[cst.SimpleString] + state.found[cst.FormattedString]
        self.strings = sorted((at(start), at(end)) for start, end in texts)
        self.opening = {at(start) for start, _ in state.found[cst.LeftParen]}
        self.closing = {at(end) for _, end in state.found[cst.RightParen]}
        self._lines = _line_starts(self.text)
        self._inside: dict[ast.AST, tuple[int, int]] = {}
        if sys.version_info < (3, 12):
            self._locate_in_texts(tree, sorted(state.texts, key=lambda one: one.start), at)

    # -- nodes

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node starts and ends, parentheses around it not included."""
        inside = self._inside.get(node)
        if inside is not None:
            return inside
        if isinstance(node, ast.withitem):
            last = node.optional_vars if node.optional_vars is not None else node.context_expr
            return self.outer_span(node.context_expr)[0], self.outer_span(last)[1]
        assert isinstance(node, (ast.expr, ast.stmt, ast.arg, ast.keyword, ast.alias, ast.excepthandler))
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def outer_span(self, node: ast.AST) -> tuple[int, int]:
        """Return a node's span with the parentheses around it."""
        start, end = self.span(node)
        while True:
            left = self._skip_back(start)
            right = self._skip(end)
            if left - 1 in self.opening and right + 1 in self.closing:
                start, end = left - 1, right + 1
            else:
                return start, end

    def is_parenthesized(self, node: ast.AST) -> bool:
        """Tell whether the user put parentheses around an expression."""
        return self.outer_span(node) != self.span(node)

    def shares_parentheses(self, node: ast.AST, parent: ast.AST | None) -> bool:
        """Tell whether a generator expression stands between the parentheses of the call that takes it."""
        if not isinstance(node, ast.GeneratorExp) or not isinstance(parent, ast.Call):
            return False
        return not self.text[self.outer_span(parent.func)[1] : self.span(node)[0]].strip()

    def offset(self, line: int, column: int) -> int:
        """Turn a line (1-based) and a column in UTF-8 bytes into an offset in characters."""
        start = self._lines[line - 1]
        end = self._lines[line] if line < len(self._lines) else len(self.text)
        piece = self.text[start:end]
        if piece.isascii():
            return start + column
        return start + len(piece.encode()[:column].decode("utf-8", "replace"))

    def line_start(self, place: int) -> int:
        """Return the offset of the line that ``place`` is on."""
        return self._lines[bisect_right(self._lines, place) - 1]

    def line_end(self, place: int) -> int:
        """Return the offset behind the line that ``place`` is on, its line end included."""
        index = bisect_right(self._lines, place)
        return self._lines[index] if index < len(self._lines) else len(self.text)

    def indentation(self, place: int) -> str:
        """Return the blanks that the line of ``place`` starts with."""
        line = self.text[self.line_start(place) : self.line_end(place)]
        return line[: len(line) - len(line.lstrip(" \t\f"))].replace("\f", "")

    # -- comments and strings

    def comments_in(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the comments inside a range."""
        return self.comments[bisect_left(self.comments, (start, 0)) : bisect_left(self.comments, (end, 0))]

    def skip_code(self, place: int) -> int:
        """Return the place behind the string or comment that starts at ``place``, else the next character."""
        index = bisect_left(self.strings, (place, 0))
        if index < len(self.strings) and self.strings[index][0] == place:
            return max(end for start, end in self.strings[index : index + 2] if start == place)
        if self.text[place] == "#":
            return self.line_end(place)
        return place + 1

    def closing_bracket(self, place: int) -> int:
        """Return the offset of the bracket that closes the one at ``place``."""
        depth = 0
        while place < len(self.text):
            if self.text[place] in "([{":
                depth += 1
            elif self.text[place] in ")]}":
                depth -= 1
                if depth == 0:
                    return place
            place = self.skip_code(place)
        raise FileProblem("RM003", "a bracket has no partner")

    def find_code(self, wanted: str, place: int, end: int) -> int:
        """Return where ``wanted`` stands outside of strings and comments, or -1."""
        while place < end:
            if self.text.startswith(wanted, place):
                return place
            place = self.skip_code(place)
        return -1

    def _skip(self, place: int) -> int:
        while place < len(self.text):
            if self.text[place] in " \t\f\r\n\\":
                place += 1
            elif self.text[place] == "#":
                place = self.line_end(place)
            else:
                break
        return place

    def _skip_back(self, place: int) -> int:
        while True:
            while place and self.text[place - 1] in " \t\f\r\n\\":
                place -= 1
            index = bisect_left(self.comments, (place, 0)) - 1
            if index < 0 or self.comments[index][1] != place:
                return place
            place = self.comments[index][0]

    def _locate_in_texts(self, tree: ast.Module, texts: list[_Text], at: Callable[[int], int]) -> None:
        """Before 3.12 ``ast`` misplaces what is inside f-strings: match both trees by kind and order instead."""
        if not texts:
            return
        order: dict[str, list[ast.AST]] = {}
        literals = [node for node in walk(tree) if isinstance(node, ast.JoinedStr)]
        seen: set[ast.AST] = set()
        for literal in sorted(literals, key=lambda one: (one.lineno, one.col_offset)):
            stack: list[ast.AST] = [] if literal in seen else [literal]
            while stack:
                node = stack.pop()
                seen.add(node)
                kind = KIND_OF.get(type(node), "")
                if kind in _IN_TEXTS.values():
                    order.setdefault(kind, []).append(node)
                stack.extend(reversed(list(children(node))))
        for kind, nodes in order.items():
            spans = [text.spans.get(node) for text in texts for node in text.order.get(kind, ())]
            if len(spans) == len(nodes):
                pairs = zip(nodes, spans, strict=True)
                self._inside.update({node: (at(span[0]), at(span[1])) for node, span in pairs if span is not None})


def _parse(text: str) -> cst.Module:
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise FileProblem("RM002", f"libcst does not parse it: {error.message}", line=error.raw_line) from None
    except RecursionError:
        raise FileProblem("RM004", "nested too deeply to be rewritten") from None


def _line_starts(text: str) -> list[int]:
    starts = [0]
    place = 0
    while place < len(text):
        newline = text.find("\n", place)
        carriage = text.find("\r", place, newline if newline >= 0 else len(text))
        if carriage >= 0 and not text.startswith("\r\n", carriage):
            place = carriage + 1
        elif newline >= 0:
            place = newline + 1
        else:
            break
        starts.append(place)
    return starts


def alignment(printed: str, text: str) -> Callable[[int], int]:
    """Return a function from offsets in libcst's output to offsets in the file."""
    if printed == text:
        return lambda place: place
    gaps: list[int] = []  # offsets in ``printed`` before which one character of the file is missing
    here = 0
    for character in text:
        if here < len(printed) and printed[here] == character:
            here += 1
        elif character in " \t\f\r":
            gaps.append(here)
        else:
            raise FileProblem("RM002", "libcst prints it back differently")
    if here != len(printed):
        raise FileProblem("RM002", "libcst prints it back differently")
    return lambda place: place + bisect_right(gaps, place)
