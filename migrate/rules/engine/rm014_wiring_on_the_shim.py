"""RM014: clients and workers that stay on the shim and serve rewritten workflows."""

from __future__ import annotations

from typing import Final

from migrate.rules.base import Rule

RULE: Final = Rule(
    code="RM014",
    title="Client or worker that stays on the shim",
    family="engine",
    level="review",
    applicability="review",
    what=(
        "A place that makes workers, or starts, asks and lists workflows, in a way that cannot be rewritten, or that "
        "serves a workflow which stays too. Its imports move to the drop-in; `Worker(workflows=[...])` and "
        "`client.start_workflow(...)` of the shim take rewritten workflows beside the old ones. One finding for each "
        "file says what keeps it."
    ),
    why="What cannot be rewritten about the wiring of a workflow is no reason to leave the workflow as it is.",
    action="Nothing, for it to run. Solve the reason that is given to do without the shim.",
    minutes=20,
)
