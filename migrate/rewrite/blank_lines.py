"""Which blank lines go with statements that are taken out, so that none are left twice or at the start of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.rewrite.concrete import Concrete


def removal_range(concrete: Concrete, start: int, end: int, *, blanks: bool) -> tuple[int, int]:
    """Return the lines of a statement to take out, with the blank lines that would be left twice."""
    first, last = concrete.line_start(start), concrete.line_end(end)
    if not blanks:
        return first, last
    above, below = first, last
    while above and not concrete.text[concrete.line_start(above - 1) : above].strip():
        above = concrete.line_start(above - 1)
    while below < len(concrete.text) and not concrete.text[below : concrete.line_end(below)].strip():
        below = concrete.line_end(below)
    opens_block = bool(above) and len(concrete.indentation(above - 1)) < len(concrete.indentation(start))
    if opens_block or not above:
        return first, below
    if below == len(concrete.text):
        return above, below
    if first in (above, below) or last in (above, below):
        return first, last  # its group goes on above or below
    count_above = concrete.text.count("\n", above, first)
    count_below = concrete.text.count("\n", last, below)
    return (above, last) if count_above <= count_below else (first, below)
