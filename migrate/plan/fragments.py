"""New code, written as templates with holes for code that is already there.

A *part* is a string (new text), a node of the analysis tree (its text as it is in the file, with every edit inside it
applied, comments and line breaks kept), or a fragment. Rules never print code themselves:

    code("yield {}", call("ctx.run", activity, *arguments))

Parentheses are the engine's work: write the template as if it stood alone. It adds them where the place needs them
(``f(await g())`` becomes ``f((yield ...))``) and around a hole whose content binds less tightly than the template.
Literal braces are doubled, as in ``str.format``. A template of statements may have several lines; indent with four
blanks per level, the file's own unit is put in their place.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from string import Formatter
from typing import TypeAlias


class Fragment:
    """Base of the kinds of new code."""


Part: TypeAlias = str | ast.AST | Fragment


@dataclass(frozen=True)
class Code(Fragment):
    """Text with holes: strings and parts in order."""

    pieces: tuple[str | Hole, ...]


@dataclass(frozen=True)
class Hole:
    """A place in a template.

    Attributes:
        part: what goes there.
    """

    part: Part


@dataclass(frozen=True)
class Call(Fragment):
    """A call whose arguments go on one line if they fit, else one per line.

    Attributes:
        func: what is called.
        args: arguments in order; an ``ast.keyword`` keeps its name, a ``Named`` gives one, a ``*x`` stays one.
    """

    func: Part
    args: tuple[Part, ...]


@dataclass(frozen=True)
class Named(Fragment):
    """A keyword argument ``name=value``."""

    name: str
    value: Part


@dataclass(frozen=True)
class Block(Fragment):
    """Statements one under the other; a nested tuple is indented one level more.

    Attributes:
        lines: statements, or nested blocks.
    """

    lines: tuple[Part, ...]


@dataclass(frozen=True)
class Indented(Fragment):
    """Statements one level deeper than what stands before them in a ``Block``."""

    lines: tuple[Part, ...]


@dataclass(frozen=True)
class Body(Fragment):
    """The body of a compound statement as it is in the file, moved to the indentation of where it is put.

    Attributes:
        node: the ``for``, ``with``, function ...; its ``body`` is taken, with comments and blank lines.
    """

    node: ast.AST


@dataclass(frozen=True)
class Whole(Fragment):
    """A whole statement as it is in the file, with its decorators and the comments above, re-indented."""

    node: ast.stmt


@dataclass(frozen=True)
class Bare(Fragment):
    """Text that is put in as it is: no parentheses are ever added around it or around its holes."""

    part: Part


def code(template: str, *holes: Part, **named: Part) -> Code:
    """Make new code from a template.

    Args:
        template: Python text; ``{}`` takes the next of ``holes``, ``{name}`` the one of that name.
        holes: parts for the unnamed holes, in order.
        named: parts for the named holes; a name may stand more than once.

    Returns:
        A part to hand to an edit or to put into another template.

    Raises:
        ValueError: number or names of holes differ from the template's.
    """
    pieces: list[str | Hole] = []
    waiting = list(holes)
    seen: set[str] = set()
    for text, field, _spec, _conversion in Formatter().parse(template):
        if text:
            pieces.append(text)
        if field is None:
            continue
        if field == "" and not waiting:
            raise ValueError(f"template {template!r} has more holes than the {len(holes)} parts given")
        if field and field not in named:
            raise ValueError(f"template {template!r} asks for {field!r}, given are {sorted(named)}")
        seen.add(field)
        pieces.append(Hole(waiting.pop(0) if field == "" else named[field]))
    if waiting or set(named) - seen:
        raise ValueError(f"template {template!r} has no place for {len(waiting)} parts and {sorted(set(named) - seen)}")
    return Code(tuple(pieces))


def call(func: Part, *args: Part, **keywords: Part | None) -> Call:
    """Make a call, laid out like black would.

    Args:
        func: what is called.
        args: arguments in order: expressions, ``ast.keyword``, ``ast.Starred``, ``Named`` or text.
        keywords: keyword arguments; those that are None are left out.
    """
    named = tuple(Named(name, value) for name, value in keywords.items() if value is not None)
    return Call(func, (*args, *named))


def block(*lines: Part) -> Block:
    """Put statements one under the other; ``indented(...)`` goes one level deeper."""
    return Block(lines)


def indented(*lines: Part) -> Indented:
    """Statements one level deeper, inside ``block``."""
    return Indented(lines)
