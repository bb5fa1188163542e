"""RM199: names of the SDK that no rule explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.draft import SDK, mentions

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Draft

RULE: Final = Rule(
    code="RM199",
    title="Name of the SDK without a counterpart",
    family="temporal",
    level="manual",
    applicability="manual",
    what="""Something of temporalio that no other rule knows. The unit it stands in stays as it is, with all that
hangs on it.""",
    why="Half a conversion would not run.",
    action="Remove it, replace it by code of your own, or keep this part on the original SDK.",
    minutes=30,
)


def report(draft: Draft) -> None:
    """Block every unit that still mentions the SDK."""
    for module in draft.project.modules.values():
        for node in mentions(module):
            name = draft.external(module, node)
            if name.startswith(SDK) and node not in draft.claimed and not draft.is_alias(module, node):
                draft.block(module, node, RULE.code, f"{name} has no counterpart", RULE.action)
