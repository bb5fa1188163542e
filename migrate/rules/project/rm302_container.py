"""RM302: container or process file starts the old system."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM302",
    title="Container or process file starts the old system",
    family="project",
    level="review",
    applicability="manual",
    what="A Dockerfile, compose file or Procfile that mentions Temporal or DBOS. It is not edited.",
    why=(
        "Workers need no Temporal server and no DBOS any more; they share one SQLite file, or a Resonate Server named "
        "by RESONATE_URL."
    ),
    action="Remove the server's service, and give workers and clients the same RESONATE_URL.",
    minutes=15,
)
