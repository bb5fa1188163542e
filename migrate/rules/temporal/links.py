"""Units that mention each other share their fate."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from migrate.rules.temporal.spelling import constant_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.index.model import Definition, Module
    from migrate.plan.survey import Unit
    from migrate.rules.temporal.draft import Draft


def link_mentions(draft: Draft) -> None:
    """Link every unit with the units of what it mentions.

    Code that names nothing of the SDK and yet uses something that changes becomes a unit too: a wrapper that hands a
    client on must not stand between two halves.
    """
    changed = True
    while changed:
        changed = False
        for module in draft.project.modules.values():
            for node in module.references:
                for target in _targets(draft, module, node):
                    before = len(draft.survey.units)
                    draft.link(draft.unit(module, node), target)
                    changed = changed or len(draft.survey.units) != before


def _targets(draft: Draft, module: Module, node: ast.expr) -> Iterator[Unit]:
    """Yield the units of what an expression mentions, link by link of an attribute chain."""
    current: ast.expr = node
    while True:
        found = draft.project.resolve(module, current)
        definition: Definition | None = found.definition if found is not None else None
        if definition is not None:
            unit = draft.known_unit(definition.module, definition.node)
            if unit is not None:
                yield unit
        key = constant_key(draft, module, current)
        if key is not None:
            owner, _, last = key.rpartition(".")
            unit = draft.unit_named(f"{owner}:{last}")
            if unit is not None:
                yield unit
        if not isinstance(current, ast.Attribute):
            return
        current = current.value
