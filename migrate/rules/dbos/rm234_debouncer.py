"""RM234: debouncers stay on the shim, and start what is rewritten."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos.vocabulary import DEBOUNCING

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM234",
    title="A debouncer stays on the shim and starts the rewritten workflow",
    family="dbos",
    level="review",
    applicability="review",
    what="""\
`Debouncer.create(index, queue="documents")` and `debouncer.debounce(key, 5, url)` keep their text and run on the shim:
calls of one key that follow each other start one workflow with the arguments of the last. The workflow is rewritten.
Workflows that debounce others stay on the shim with their debouncer.""",
    why="Which call is the last is decided in one place for each key; both sides share it.",
    action="Nothing has to be done.",
    minutes=5,
)


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a debouncer."""
    facts.claim(call.func)
    at = facts.at(module, call)
    facts.address_all(at.unit)
    facts.stay(at, RULE, "a debouncer runs on the shim, and starts its workflow")


def survey_use(facts: Facts, module: Module, node: ast.Attribute) -> None:
    """Note a call of a debouncer."""
    facts.stay(facts.at(module, node), RULE, "a start is debounced on the shim")


def is_served(facts: Facts, module: Module, node: ast.AST) -> bool:
    """Tell whether a workflow is handed to a call that makes a debouncer."""
    parent = module.parents.get(node)
    return isinstance(parent, ast.Call) and facts.project.external(module, parent.func) in DEBOUNCING
