"""RM001: file does not parse."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM001",
    title="File does not parse",
    family="engine",
    level="error",
    applicability="manual",
    what="A file that this Python cannot parse. It is left as it is; every other file is handled.",
    why=(
        "Nothing can be said about code that is not Python. What it imports or calls is unknown to the rest of the run."
    ),
    action=(
        "Repair the file, or leave it out with --exclude. If its syntax is newer than the Python that runs resonate- "
        "migrate, run with that Python."
    ),
    minutes=10,
)
