"""Turn fragments into text: fill holes, place parentheses, break long calls, keep comments of arguments."""

from __future__ import annotations

import ast
import contextlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from migrate.plan.fragments import Bare, Block, Body, Call, Code, Hole, Indented, Named, Part, Whole
from migrate.rewrite.output import first_width, is_multiline, last_line, shift, to_unit
from migrate.rewrite.parens import kind_of, needs_parentheses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate.rewrite.concrete import Concrete

_PLACEHOLDER: Final = "__hole_{}__"
#: Width for asking how long something is on one line.
_UNLIMITED: Final = 1_000_000
_PLACEHOLDER_NAME: Final = re.compile(r"__hole_(\d+)__")


class Originals(Protocol):
    """Text of nodes of the file, with the edits inside applied."""

    def node(self, node: ast.AST, length: int) -> str: ...

    def body(self, node: ast.AST) -> str: ...

    def whole(self, node: ast.stmt) -> str: ...

    def may_claim(self, span: tuple[int, int]) -> bool: ...

    def keep_comment(self, span: tuple[int, int]) -> str: ...


@dataclass(frozen=True)
class Place:
    """Where text goes.

    Attributes:
        indent: blanks that the line starts with.
        before: what stands on the line already.
        after: how many characters follow on the last line.
    """

    indent: str
    before: str
    after: int


@dataclass(frozen=True)
class _Argument:
    """One argument, ready to be laid out: comment lines above, text, comment behind."""

    above: tuple[str, ...]
    text: str
    behind: str


class FragmentWriter:
    """Writes the parts of one file."""

    def __init__(self, concrete: Concrete, originals: Originals, line_length: int) -> None:
        self._concrete = concrete
        self._originals = originals
        self.length = line_length
        self._writers: dict[type, Callable[[Any, Place], str]] = {
            Code: self._code,
            Call: self._call,
            Named: self._named,
            Bare: self._bare,
            Block: self._block,
            Indented: self._block,
            Body: self._moved,
            Whole: self._moved,
        }

    def write(self, part: Part, place: Place) -> str:
        """Return the text of a part for a place."""
        if isinstance(part, str):
            return to_unit(part, self._concrete.indent).replace("\n", "\n" + place.indent) if "\n" in part else part
        writer = self._writers.get(type(part), self._original)
        return writer(part, place)

    def _named(self, part: Named, place: Place) -> str:
        return f"{part.name}={self._value(part.value, self._further(place, part.name + '='))}"

    def _bare(self, part: Bare, place: Place) -> str:
        return self.write(part.part, place)

    def _original(self, node: ast.AST, place: Place) -> str:
        old = self._concrete.indentation(self._concrete.span(node)[0])
        with self._room(self.length + len(old) - len(place.indent)):
            text = self._originals.node(node, self.length)
        return shift(text, old, place.indent) if is_multiline(text) else text

    @contextlib.contextmanager
    def _room(self, length: int) -> Iterator[None]:
        """Lay out for another width: text that is moved afterwards gains or loses its indentation."""
        before, self.length = self.length, length
        try:
            yield
        finally:
            self.length = before

    def _moved(self, part: Body | Whole, place: Place) -> str:
        first = part.node.body[0] if isinstance(part, Body) else part.node  # type: ignore[attr-defined]
        old = self._concrete.indentation(self._concrete.span(first)[0])
        with self._room(self.length + len(old) - len(place.indent)):
            text = self._originals.body(part.node) if isinstance(part, Body) else self._originals.whole(part.node)
        return shift(text, old, place.indent)

    # -- templates

    def _code(self, part: Code, place: Place) -> str:
        parents = self._parents(part)
        out = ""
        rest = list(part.pieces)
        while rest:
            piece = rest.pop(0)
            if isinstance(piece, str):
                out += self.write(piece, place)
                continue
            following = sum(len(text) for text in rest[:1] if isinstance(text, str) and "\n" not in text)
            here = self._further(place, out, following + (place.after if len(rest) < 2 else 0))
            text = self.write(piece.part, here)
            out += self._in_parentheses(text, piece, parents)
        return out

    def _further(self, place: Place, out: str, after: int | None = None) -> Place:
        line = place.before + out if "\n" not in out else last_line(out)
        indent = line[: len(line) - len(line.lstrip(" \t"))] if "\n" in out else place.indent
        return Place(indent, line, place.after if after is None else after)

    def _in_parentheses(self, text: str, hole: Hole, parents: dict[int, tuple[ast.AST, ast.AST]]) -> str:
        where = parents.get(id(hole))
        if where is None or isinstance(hole.part, (Bare, Block, Indented, Body, Whole)):
            return text
        if isinstance(hole.part, ast.AST) and self._has_own_parentheses(hole.part, text):
            return text
        inner = kind_of(text)
        return f"({text})" if inner is not None and needs_parentheses(inner, *where) else text

    @staticmethod
    def _has_own_parentheses(node: ast.AST, text: str) -> bool:
        return isinstance(node, (ast.Tuple, ast.GeneratorExp)) and text.startswith("(")

    def _parents(self, part: Code) -> dict[int, tuple[ast.AST, ast.AST]]:
        """Find, for each hole of a template, the node of the template around it."""
        holes = [piece for piece in part.pieces if isinstance(piece, Hole)]
        numbers = iter(range(len(holes)))
        text = "".join(piece if isinstance(piece, str) else _PLACEHOLDER.format(next(numbers)) for piece in part.pieces)
        return {id(holes[number]): around for number, around in _around_holes(text)}

    # -- calls

    def _call(self, part: Call, place: Place) -> str:
        function = self._tight(part.func, place)
        arguments = [self._argument(argument) for argument in part.args]
        has_comments = any(argument.above or argument.behind for argument in arguments)
        if not has_comments:
            flat = f"{function}({', '.join(argument.text for argument in arguments)})"
            fits = len(place.before) + first_width(flat) + place.after <= self.length
            if not is_multiline(flat) and (fits or not arguments):
                return flat
            together = self._on_one_line(function, arguments, place)
            if together is not None:
                return together
        return self._one_per_line(function, part, arguments, place)

    def _on_one_line(self, function: str, arguments: list[_Argument], place: Place) -> str | None:
        """Put the arguments on one line of their own, as black does where they fit; None where they do not."""
        inner = place.indent + self._concrete.indent
        listed = ", ".join(argument.text for argument in arguments)
        if is_multiline(listed) or len(inner) + len(listed) > self.length:
            return None
        return f"{function}(\n{inner}{listed}\n{place.indent})"

    def _one_per_line(self, function: str, part: Call, arguments: list[_Argument], place: Place) -> str:
        inner = place.indent + self._concrete.indent
        lines = [function + "("]
        for argument, original in zip(arguments, part.args, strict=True):
            lines.extend(inner + comment for comment in argument.above)
            text = self.write_argument(original, Place(inner, inner, 1))
            lines.append(f"{inner}{text},{argument.behind}")
        return "\n".join([*lines, place.indent + ")"])

    def _argument(self, part: Part) -> _Argument:
        with self._room(_UNLIMITED):
            text = self.write_argument(part, Place("", "", 0))
        node = part.value if isinstance(part, Named) else part
        if not isinstance(node, ast.AST):
            return _Argument((), text, "")
        above, behind = self._comments_around(node)
        return _Argument(above, text, behind)

    def write_argument(self, part: Part, place: Place) -> str:
        """Return the text of one argument of a call."""
        if isinstance(part, (Named, Bare)) or (isinstance(part, ast.AST) and not isinstance(part, ast.expr)):
            return self.write(part, place)
        return self._value(part, place)

    def _value(self, part: Part, place: Place) -> str:
        text = self.write(part, place)
        if isinstance(part, ast.AST) and self._has_own_parentheses(part, text):
            return text
        inner = kind_of(text)
        holder = ast.Call(ast.Name("f"), [ast.Name("x")], [])
        return f"({text})" if inner is not None and needs_parentheses(inner, holder, holder.args[0]) else text

    def _tight(self, part: Part, place: Place) -> str:
        text = self.write(part, place)
        if isinstance(part, str):
            return text
        inner = kind_of(text)
        holder = ast.Call(ast.Name("f"), [], [])
        return f"({text})" if inner is not None and needs_parentheses(inner, holder, holder.func) else text

    def _comments_around(self, node: ast.AST) -> tuple[tuple[str, ...], str]:
        """Claim the comments that stand on the lines above an argument and behind it, if it has its own lines."""
        concrete = self._concrete
        start, end = concrete.outer_span(node)
        line = concrete.line_start(start)
        above: list[str] = []
        if not concrete.text[line:start].strip():
            while line:
                previous = concrete.line_start(line - 1)
                found = concrete.comments_in(previous, line)
                if (
                    not found
                    or concrete.text[previous : found[0][0]].strip()
                    or not self._originals.may_claim(found[0])
                ):
                    break
                above.insert(0, self._originals.keep_comment(found[0]))
                line = previous
        behind = ""
        after = concrete.comments_in(end, concrete.line_end(max(end - 1, 0)))
        if after and not concrete.text[end : after[0][0]].strip(" \t,") and self._originals.may_claim(after[0]):
            behind = "  " + self._originals.keep_comment(after[0])
        return tuple(above), behind

    # -- blocks

    def _block(self, part: Block | Indented, place: Place) -> str:
        out = ""
        for line in part.lines:
            if line == "":  # a blank line has no indentation
                out += "\n"
                continue
            inner = place.indent + self._concrete.indent if isinstance(line, Indented) else place.indent
            start = inner if out == "\n" else "\n" + inner if out else ""
            out += start + self.write(line, Place(inner, inner, 0))
        return out


@lru_cache(maxsize=1024)
def _around_holes(text: str) -> tuple[tuple[int, tuple[ast.AST, ast.AST]], ...]:
    """Return, for each placeholder of a template, the node around it and its own."""
    tree = _parsed(text)
    found = []
    for parent in ast.walk(tree) if tree is not None else ():
        for child in ast.iter_child_nodes(parent):
            match = _PLACEHOLDER_NAME.fullmatch(child.id) if isinstance(child, ast.Name) else None
            if match is not None:
                found.append((int(match[1]), (parent, child)))
    return tuple(found)


def _parsed(text: str) -> ast.AST | None:
    header = f"{text} pass"  # ``if {}:`` and the like, whose body is another part
    for attempt in (text, f"(\n{text}\n)", header):
        try:
            return ast.parse(attempt)
        except (SyntaxError, ValueError):
            continue
    return None
