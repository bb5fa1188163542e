"""Conditions that are known to be true after a migration: the code that they guard stays, the other branch goes."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from migrate.plan.fragments import Body, Part, Whole, block

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place


def assume_true(place: Place, *, rule: str) -> None:
    """Replace a condition that always holds, with the statement or expression that it decides if that is plain."""
    node = place.node
    parent = place.parent
    is_negated = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    test: ast.expr = parent if is_negated else node  # type: ignore[assignment]
    around = place.module.parents.get(test)
    if isinstance(around, ast.If) and around.test is test and not _is_elif(place, around):
        _take(place, around, taken=around.orelse if is_negated else around.body, rule=rule)
        return
    if isinstance(around, ast.IfExp) and around.test is test:
        kept = around.orelse if is_negated else around.body
        place.replace(around, lambda _emit: kept, rule=rule)
        return
    if isinstance(around, ast.BoolOp) and not is_negated and _is_needless(around, test):
        rest = next(one for one in around.values if one is not test)
        place.replace(around, lambda _emit: rest, rule=rule)
        return
    place.replace(test, lambda _emit: "False" if is_negated else "True", rule=rule)


def _is_needless(around: ast.BoolOp, test: ast.expr) -> bool:
    return isinstance(around.op, ast.And) and len(around.values) == 2 and around.values[0] is test


def _is_elif(place: Place, statement: ast.If) -> bool:
    around = place.module.parents.get(statement)
    is_only = isinstance(around, ast.If) and around.orelse == [statement]
    return is_only and place.module.source.line(statement.lineno).lstrip().startswith("elif")


def _take(place: Place, statement: ast.If, *, taken: list[ast.stmt], rule: str) -> None:
    """Put one branch in the place of the statement; what can no longer be reached behind it goes too."""
    if not taken:
        place.draft.act(place.module, place.node, lambda emit: emit.file.remove(statement, code=rule))
        return
    new: Part = Body(statement) if taken is statement.body else block(*map(Whole, taken))
    place.replace(statement, lambda _emit: new, rule=rule)
    if isinstance(taken[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break)):
        for dead in _after(place, statement):
            place.draft.claim(dead)
            place.draft.act(place.module, place.node, partial(_remove, dead, rule))


def _remove(statement: ast.stmt, rule: str, emit: Emit) -> None:
    emit.file.remove(statement, code=rule)


def _after(place: Place, statement: ast.stmt) -> list[ast.stmt]:
    """Return the statements behind one in its block."""
    around = place.module.parents[statement]
    for name in ("body", "orelse", "finalbody"):
        block_ = getattr(around, name, [])
        if statement in block_:
            return list(block_[block_.index(statement) + 1 :])
    return []
