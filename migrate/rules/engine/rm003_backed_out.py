"""RM003: verification failed and the edits were backed out."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM003",
    title="Verification failed and the edits were backed out",
    family="engine",
    level="error",
    applicability="manual",
    what=(
        "A rewritten file did not compile, lost a comment, or would be changed again by a second run; or two "
        "statements stand on one line where one has to become several. The edits of the group are dropped, and the "
        "files of the group are left as they were."
    ),
    why="A file is never written unless it passes. The rest of the project is written as planned.",
    action=(
        "Simplify the line that is named (one statement per line), or convert the workflow by hand. A report of the "
        "case is welcome."
    ),
    minutes=20,
)
