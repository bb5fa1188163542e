"""RM002: file cannot be printed back as it is."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM002",
    title="File cannot be printed back as it is",
    family="engine",
    level="error",
    applicability="manual",
    what="A file that libcst parses but prints differently, or does not parse at all although Python does.",
    why="A rewrite would change lines that nobody asked to change.",
    action="Reformat the file once (a lone carriage return is the usual reason), or convert it by hand.",
    minutes=10,
)
