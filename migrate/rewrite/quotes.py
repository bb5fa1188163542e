"""Quotes of new code inside an f-string: before Python 3.12 it may not use the string's own."""

from __future__ import annotations

import io
import re
import tokenize
from typing import Final

from migrate.errors import FileProblem

_OPENING: Final = re.compile(r"[A-Za-z]*('''|\"\"\"|'|\")")


def quote_of(literal: str) -> str:
    """Return the quote that a string literal begins with."""
    match = _OPENING.match(literal)
    assert match is not None
    return match[1]


def with_other_quotes(text: str, quote: str, line: int) -> str:
    """Return an expression whose string literals do not use ``quote``.

    Raises:
        FileProblem: one of them holds the other quote, or a backslash.
    """
    if quote[0] not in text or len(quote) > 1:
        return text
    other = "'" if quote == '"' else '"'
    out: list[str] = []
    place = 0
    for token in tokenize.generate_tokens(io.StringIO(f"({text})").readline):
        if token.type != tokenize.STRING or quote not in token.string:
            continue
        if other in token.string or "\\" in token.string or token.start[0] != token.end[0] or "\n" in text:
            raise FileProblem("RM003", "the new code needs quotes that the f-string around it uses", line=line)
        start, end = token.start[1] - 1, token.end[1] - 1
        out += [text[place:start], token.string.replace(quote, other)]
        place = end
    return "".join([*out, text[place:]])
