"""RM005: encoding is unknown or wrong."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM005",
    title="Encoding is unknown or wrong",
    family="engine",
    level="error",
    applicability="manual",
    what=(
        "A file that does not decode with the encoding it declares (UTF-8 without a declaration), or whose result "
        "does not fit into it."
    ),
    why="Guessing an encoding changes texts silently.",
    action="Save the file as UTF-8, or declare its encoding in the first line.",
)
