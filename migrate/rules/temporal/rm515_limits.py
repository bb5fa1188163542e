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
    what="""Limits, rates and executors of a worker are left out. Plain steps run in the threads of the runtime.""",
    why="""What the limit protected can be overloaded.""",
    action="If the limit protects something, keep it in the step itself, or run fewer workers.",
)
