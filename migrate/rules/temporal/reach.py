"""Workflow code: the functions that a workflow's entry and handlers reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.rules.temporal.facts import FUNCTIONS

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Draft
    from migrate.rules.temporal.facts import Facts, Workflow


def reachable(draft: Draft, facts: Facts, workflow: Workflow) -> list[Definition]:
    """Return the functions of the project that run as part of a workflow, in a stable order."""
    roots = [workflow.entry, *(method for _kind, method in workflow.handlers)]
    constructor = draft.project.classes.member(workflow.definition, "__init__")
    if constructor is not None:
        roots.append(constructor)
    seen: dict[Definition, None] = {}
    stack = list(reversed(roots))
    while stack:
        current = stack.pop()
        if current in seen or current in facts.activities or not isinstance(current.node, FUNCTIONS):
            continue
        seen[current] = None
        for site in draft.project.callees(current):
            stack.extend(sorted(draft.project.classes.family(site.callee), key=lambda one: one.qualname))
        stack.extend(other for other in current.module.definitions.values() if other.parent is current)
    return list(seen)
