"""Temporal's list filter: a small SQL condition over executions, evaluated here.

WorkflowType = 'Order' AND (ExecutionStatus IN ('Running', 'Failed') OR CustomerId STARTS_WITH 'c-') ORDER BY StartTime
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Test = Callable[[Mapping[str, Any]], bool]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<name>`[^`]+`|[A-Za-z_][\w.]*)"""
    r"""|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign><=|>=|!=|<>|[=<>(),]))"""
)
_ORDER: Final = re.compile(r"\border\s+by\b.*$", re.IGNORECASE | re.DOTALL)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class FilterError(ValueError):
    """A filter that cannot be read."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse(query: str) -> Test:
    """Return the test that a filter means; an empty one lets everything through.

    Raises:
        FilterError: the filter cannot be read.
    """
    text = _ORDER.sub("", query or "").strip()
    if not text:
        return lambda _: True
    parser = _Parser(_tokens(text), query)
    test = parser.either()
    parser.end()
    return test


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(f"invalid query: cannot read {text[position : position + 20]!r}")
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind]))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token], query: str) -> None:
        self._tokens = tokens
        self._query = query
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at].text.upper() if self._at < len(self._tokens) else ""

    def _take(self) -> _Token:
        if self._at >= len(self._tokens):
            raise FilterError(f"invalid query: {self._query!r} ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, text: str) -> None:
        found = self._take()
        if found.text.upper() != text:
            raise FilterError(f"invalid query: expected {text}, found {found.text!r} in {self._query!r}")

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise FilterError(f"invalid query: unexpected {self._tokens[self._at].text!r} in {self._query!r}")

    def either(self) -> Test:
        tests = [self._both()]
        while self._peek() == "OR":
            self._take()
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda fields: any(test(fields) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._peek() == "AND":
            self._take()
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda fields: all(test(fields) for test in tests)

    def _one(self) -> Test:
        if self._peek() == "NOT":
            self._take()
            inner = self._one()
            return lambda fields: not inner(fields)
        if self._peek() == "(":
            self._take()
            inner = self.either()
            self._expect(")")
            return inner
        return self._condition()

    def _condition(self) -> Test:
        token = self._take()
        if token.kind != "name":
            raise FilterError(f"invalid query: expected a name, found {token.text!r} in {self._query!r}")
        name = token.text.strip("`")
        word = self._take().text.upper()
        if word == "NOT":
            inner = self._worded(name, self._take().text.upper())
            return lambda fields: not inner(fields)
        if word in _COMPARE:
            return _compared(name, _COMPARE[word], self._value())
        return self._worded(name, word)

    def _worded(self, name: str, word: str) -> Test:
        if word == "IS":
            is_null = self._peek() != "NOT"
            if not is_null:
                self._take()
            self._expect("NULL")
            return lambda fields: (fields.get(name) is None) is is_null
        if word == "BETWEEN":
            low = self._value()
            self._expect("AND")
            high = self._value()
            above, below = _compared(name, _COMPARE[">="], low), _compared(name, _COMPARE["<="], high)
            return lambda fields: above(fields) and below(fields)
        if word == "STARTS_WITH":
            start = str(self._value())
            return lambda fields: str(fields.get(name) or "").startswith(start)
        if word == "IN":
            return self._in(name)
        raise FilterError(f"invalid query: {word} is not known in {self._query!r}")

    def _in(self, name: str) -> Test:
        self._expect("(")
        tests = [_compared(name, _COMPARE["="], self._value())]
        while self._peek() == ",":
            self._take()
            tests.append(_compared(name, _COMPARE["="], self._value()))
        self._expect(")")
        return lambda fields: any(test(fields) for test in tests)

    def _value(self) -> Any:
        token = self._take()
        if token.kind == "text":
            quote = token.text[0]
            return token.text[1:-1].replace(quote * 2, quote)
        if token.kind == "number":
            return float(token.text)
        if token.text.upper() in ("TRUE", "FALSE"):
            return token.text.upper() == "TRUE"
        raise FilterError(f"invalid query: expected a value, found {token.text!r} in {self._query!r}")


def _compared(name: str, compare: Callable[[Any, Any], bool], wanted: Any) -> Test:
    def test(fields: Mapping[str, Any]) -> bool:
        found = fields.get(name)
        if found is None:
            return compare is _COMPARE["!="]
        values = found if isinstance(found, list | tuple) else [found]
        return any(compare(value, _like(value, wanted)) for value in values)

    return test


def _like(value: Any, wanted: Any) -> Any:
    """Return what a filter says, in the type of what is compared."""
    if isinstance(value, datetime) and isinstance(wanted, str):
        parsed = datetime.fromisoformat(wanted)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    if isinstance(value, str) and not isinstance(wanted, str):
        return str(wanted)
    return wanted
