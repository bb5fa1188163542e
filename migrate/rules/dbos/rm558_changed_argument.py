"""RM558: a step that changes what it was given."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.rules.dbos.facts import Facts, Marked

RULE: Final = Rule(
    code="RM558",
    title="A step changes its argument, and the workflow does not see it",
    family="semantics",
    level="review",
    applicability="review",
    what="""\
    @DBOS.step()
    def collect(found: list[str]) -> None:
        found.append("one more")

DBOS hands the workflow's own list to the step. Here a step gets lists, dictionaries, sets and records of its own, as if
it ran on another machine; what it changes in them stays there.""",
    why="""\
The change is in no record. A workflow that DBOS recovered did not see it either: the step was not run again, so the
list was as it had been before.""",
    action="Return what changed, and let the workflow take it from there.",
    minutes=10,
)
_CHANGING: Final = frozenset(
    {
        "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove",
        "reverse", "setdefault", "sort", "update",
    }
)  # fmt: skip


def survey(facts: Facts, mark: Marked) -> None:
    """Note the first place where a step changes one of its arguments in place."""
    node = mark.definition.node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    given = {name for name in names if name not in ("self", "cls")} - set(_rebound(node))
    for changed, name in _changes(node):
        if name in given:
            at = facts.at(mark.definition.module, changed)
            message = f"step {mark.definition.name} changes its argument {name}, and the workflow does not see that"
            facts.tell(at, RULE.code, "review", message, RULE.action)
            return


def _rebound(node: ast.AST) -> Iterator[str]:
    """Yield names that are assigned in a function: they need not hold the argument any more."""
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield places that change an object in place, with the variable that holds it."""
    for one in ast.walk(node):
        target: ast.AST | None = None
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in _CHANGING:
            target = one.func.value
        elif isinstance(one, (ast.Subscript, ast.Attribute)) and isinstance(one.ctx, (ast.Store, ast.Del)):
            target = one.value
        while isinstance(target, (ast.Subscript, ast.Attribute)):
            target = target.value
        if isinstance(target, ast.Name):
            yield one, target.id
