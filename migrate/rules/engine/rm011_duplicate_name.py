"""RM011: two workflows have one name."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM011",
    title="Two workflows have one name",
    family="engine",
    level="review",
    applicability="manual",
    what="Two workflows that are registered under the same name.",
    why="Workers find a workflow by its name. One worker cannot register both.",
    action="Give one of them a name of its own, unless they run on different workers for good.",
    minutes=10,
)
