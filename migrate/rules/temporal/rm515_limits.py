"""RM515: limits of a worker."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM515",
    title="Limit of a worker",
    family="semantics",
    level="review",
    applicability="review",
    what="""`max_concurrent_activities` and rate limits of a worker are left out.""",
    why="""What the limit protected can be overloaded.""",
    action="Use Queue(name, concurrency=..., limiter=...) for the steps that must not run all at once.",
)
