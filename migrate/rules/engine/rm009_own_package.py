"""RM009: project has a top-level package named like ours."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM009",
    title="Project has a top-level package named like ours",
    family="engine",
    level="review",
    applicability="manual",
    what="A top-level package or module called `compat` or `migrate` in the project.",
    why=(
        "resonate-migrate installs packages of these names. Which one an import finds depends on the order of sys.path."
    ),
    action=(
        "Rename the project's package before moving code to the shims, and keep the project's directory first on "
        "sys.path until then."
    ),
    minutes=15,
)
