"""RM173: how a client sees that an execution failed."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

RULE: Final = Rule(
    code="RM173",
    title="Failure of an execution, as its caller sees it",
    family="temporal",
    level="review",
    applicability="review",
    what="""`except WorkflowFailureError as err` becomes `except Exception as err`, and `err.cause` becomes `err`:
the error that ended the execution arrives itself.""",
    why="There is no wrapper around the error of an execution; a broad handler also catches errors of the connection.",
    action="Catch the class of the error that the workflow raises.",
    minutes=10,
)
FAILURE: Final = "temporalio.client.WorkflowFailureError"


def convert(draft: Draft, module: Module, node: ast.expr) -> None:
    """Convert one mention of the class: only as what a handler catches."""
    handler = module.parents.get(node)
    if not isinstance(handler, ast.ExceptHandler):
        draft.block(module, node, RULE.code, "WorkflowFailureError is used outside of an except clause", RULE.action)
        return
    reads = [
        one
        for statement in handler.body
        for one in ast.walk(statement)
        if isinstance(one, ast.Name) and one.id == handler.name and isinstance(one.ctx, ast.Load)
    ]
    causes = [module.parents.get(one) for one in reads]
    for cause in causes:
        if isinstance(cause, ast.Attribute) and (cause.attr != "cause" or _is_looked_into(module, cause)):
            draft.block(module, cause, RULE.code, f"looks into the failure: {ast.unparse(cause)}", RULE.action)
            return
    draft.claim(node)
    draft.note(module, node, RULE.code, "review", "the error that ended the execution arrives itself", RULE.action)
    draft.act(module, node, lambda emit: emit.file.replace(node, "Exception", code=RULE.code))
    for cause in causes:
        if isinstance(cause, ast.Attribute):
            draft.act(module, cause, partial(_unwrap, cause))


def _is_looked_into(module: Module, node: ast.Attribute) -> bool:
    parent = module.parents.get(node)
    is_checked = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "isinstance"
    return isinstance(parent, ast.Attribute) or is_checked


def _unwrap(node: ast.Attribute, emit: Emit) -> None:
    emit.file.replace(node, code("{}", node.value), code=RULE.code)
