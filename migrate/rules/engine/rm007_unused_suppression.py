"""RM007: suppression comment without effect."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM007",
    title="Suppression comment without effect",
    family="engine",
    level="review",
    applicability="manual",
    what="A comment `# resonate-migrate: ignore[...]` on a line where there is nothing to ignore.",
    why="A comment that outlived its reason hides the next finding there.",
    action="Remove the comment, or correct its code.",
    minutes=1,
)
