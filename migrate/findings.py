"""What the codemod tells a person: findings, their levels and applicability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: note: behaviour to know about; review: edited, look at it; manual: left for a person; error: a file failed.
Level = Literal["note", "review", "manual", "error"]
Applicability = Literal["safe", "review", "manual"]
Tier = Literal["idiomatic", "helper", "compat", "manual"]

#: Best first; a workflow has the worst tier of what it needs.
TIERS: tuple[Tier, ...] = ("idiomatic", "helper", "compat", "manual")


def worse(first: Tier, second: Tier) -> Tier:
    """Return the tier that needs more than plain calls."""
    return max(first, second, key=TIERS.index)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to know or to do, at one place.

    Attributes:
        path: relative to the root of the run, with forward slashes.
        line: 1-based.
        column: 1-based, in characters.
        code: stable code such as ``RM120``.
        level: how much of a person's time it asks for.
        message: what is there.
        action: what to do, or empty for a note.
        symbol: qualified name of the definition it stands in.
    """

    path: str
    line: int
    column: int
    code: str
    level: Level
    message: str
    action: str = ""
    symbol: str = ""
