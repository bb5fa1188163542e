"""Comments that tell the codemod to leave something alone: ``# resonate-migrate: ignore[RM130] reason``.

Behind code, or on a line of its own above it. On a finding's line it hides that finding. On the header of a workflow,
step or anything else that moves as a whole (its decorators or its ``def`` or ``class`` line), it leaves that alone, and
everything that must stay with it.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.plan.survey import Survey
    from migrate.source import SourceFile

_COMMENT: Final = re.compile(r"#\s*resonate-migrate:\s*ignore(?:\[([^\]]*)\])?(.*)")
_WORD: Final = "resonate-migrate:"


@dataclass
class Suppression:
    """One such comment.

    Attributes:
        path: file.
        line: line of the comment.
        target: line it is about.
        codes: codes in the brackets; empty means all.
        used: it had an effect.
    """

    path: str
    line: int
    target: int
    codes: frozenset[str]
    used: bool = field(default=False)

    def covers(self, code: str) -> bool:
        """Tell whether it is about a code."""
        return not self.codes or code in self.codes


class Suppressions:
    """All such comments of a run."""

    def __init__(self, sources: Iterable[SourceFile]) -> None:
        self.all = [one for source in sources if _WORD in source.text for one in find(source)]

    def hide(self, findings: list[Finding]) -> list[Finding]:
        """Return the findings that no comment hides."""
        return [finding for finding in findings if not self._hides(finding)]

    def _hides(self, finding: Finding) -> bool:
        hidden = False
        for one in self.all:
            if one.path == finding.path and one.target == finding.line and one.covers(finding.code):
                one.used = hidden = True
        return hidden

    def hold_units(self, survey: Survey) -> None:
        """Leave units alone whose header carries such a comment."""
        for unit in survey.units:
            if unit.definition is None or not self.all:
                continue
            node = unit.definition.node
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            last = max(first, node.body[0].lineno - 1)
            for one in self.all:
                if one.path == unit.module.path and first <= one.target <= last:
                    one.used = True
                    code = min(one.codes, default="RM008")
                    unit.need("manual", code, node, action=f"a comment asks to leave {unit.name} alone")

    def unused(self) -> list[Finding]:
        """Return a finding for each comment that had no effect."""
        return [_unused(one) for one in self.all if not one.used]


def _unused(one: Suppression) -> Finding:
    codes = f" for {', '.join(sorted(one.codes))}" if one.codes else ""
    return Finding(one.path, one.line, 1, "RM007", "review", f"nothing to ignore here{codes}", "Remove the comment.")


def find(source: SourceFile) -> list[Suppression]:
    """Return the comments of one file; texts that look like one do not count."""
    found = []
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source.text, newline="").readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    for place, token in enumerate(tokens):
        match = _COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
        if match is None:
            continue
        codes = frozenset(code.strip().upper() for code in (match[1] or "").split(",") if code.strip())
        alone = not token.line[: token.start[1]].strip()
        target = _next_code(tokens[place + 1 :], token.start[0]) if alone else token.start[0]
        found.append(Suppression(source.path, token.start[0], target, codes))
    return found


def _next_code(tokens: list[tokenize.TokenInfo], line: int) -> int:
    blank = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return next((token.start[0] for token in tokens if token.type not in blank), line)
