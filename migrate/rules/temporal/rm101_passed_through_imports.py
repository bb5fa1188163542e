"""RM101: imports under ``workflow.unsafe.imports_passed_through()``."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, Whole, block
from migrate.rules.base import Rule
from migrate.rules.temporal.draft import SDK

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

RULE: Final = Rule(
    code="RM101",
    title="Imports passed through the sandbox",
    family="temporal",
    level="note",
    applicability="safe",
    what="The block `with workflow.unsafe.imports_passed_through():` goes, and its imports become plain imports.",
    why="Durable functions run without a sandbox, so nothing has to be passed through.",
    action="Nothing; read the diff.",
)
NAME: Final = "temporalio.workflow.unsafe.imports_passed_through"


def convert(draft: Draft, module: Module, node: ast.Call) -> None:
    """Convert one block."""
    item = module.parents.get(node)
    around = module.parents.get(item) if isinstance(item, ast.withitem) else None
    if not isinstance(around, ast.With) or len(around.items) != 1 or around.items[0].optional_vars is not None:
        draft.block(
            module,
            node,
            RULE.code,
            "imports_passed_through is not the only thing of a with statement",
            "Give it a with statement of its own.",
        )
        return
    draft.claim(node)
    draft.act(module, node, partial(_flatten, around))


def _flatten(node: ast.With, emit: Emit) -> None:
    """Take the imports out of the block; those of the SDK itself go, because the whole file moves."""
    kept = [statement for statement in node.body if not _is_of_sdk(statement)]
    if not kept:
        emit.file.remove(node, code=RULE.code)
    elif len(kept) == len(node.body):
        emit.file.replace(node, Body(node), code=RULE.code)
    else:
        emit.file.replace(node, block(*map(Whole, kept)), code=RULE.code)


def _is_of_sdk(statement: ast.stmt) -> bool:
    match statement:
        case ast.ImportFrom(module=str(module), level=0):
            return f"{module}.".startswith(SDK)
        case ast.Import(names=names):
            return all(f"{alias.name}.".startswith(SDK) for alias in names)
    return False
