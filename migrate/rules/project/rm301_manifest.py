"""RM301: dependency manifest names the old SDK."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM301",
    title="Dependency manifest names the old SDK",
    family="project",
    level="review",
    applicability="manual",
    what="A requirements file, `pyproject.toml` or the like that names `temporalio` or `dbos`. It is not edited.",
    why=(
        "Migrated code imports `resonate_core`, which must be installed; the old SDK need not be once nothing imports "
        "it."
    ),
    action="Add resonate-migrate to the dependencies, and remove the old SDK after the last workflow moved.",
)
