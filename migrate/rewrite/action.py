"""Something to write in place of a range of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from migrate.rewrite.render import Renderer

Writer: TypeAlias = "Callable[[Renderer, str], str]"


@dataclass(frozen=True)
class Action:
    """Something to write in place of a range.

    Attributes:
        start: offset where the range starts.
        end: offset behind it; equal to ``start`` for insertions.
        write: gets the renderer and what stands on the output line so far.
        node: node that is replaced, if it is one.
    """

    start: int
    end: int
    write: Writer
    node: ast.AST | None = None
