"""RM126: what a workflow reads of the cause behind a wrapped error."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
    from migrate.rules.temporal.draft import Draft, Emit

RULE: Final = Rule(
    code="RM126",
    title="Cause behind a wrapped error",
    family="temporal",
    level="review",
    applicability="review",
    what="""Behind Temporal's wrapper is an ApplicationError that says the class of the step's error by name; here
it is the error itself. `err.cause.type` becomes `getattr(err.cause, "type", type(err.cause).__name__)`,
`err.cause.message` becomes `str(err.cause)`, and `isinstance(err.cause, ApplicationError)` becomes
`isinstance(err.cause, Exception)`.""",
    why="An error of the step's own need not have the attributes of an ApplicationError.",
    action="Compare the class of the step's own error: isinstance(err.cause, OutOfStock).",
    minutes=10,
)
_ERRORS: Final = "temporalio.exceptions."
#: Attributes that every cause has in Temporal, with what they become here.
ATTRIBUTES: Final = {
    "type": 'getattr({cause}, "type", type({cause}).__name__)',
    "message": "str({cause})",
    "details": 'getattr({cause}, "details", ())',
    "non_retryable": 'getattr({cause}, "non_retryable", False)',
}
_CLASSES: Final = {f"{_ERRORS}ApplicationError": "Exception", f"{_ERRORS}TimeoutError": "TimeoutError"}


def convert(draft: Draft, function: Definition) -> None:
    """Convert what the handlers of one function read of ``error.cause``."""
    module = function.module
    caught = {node.name for node in ast.walk(function.node) if isinstance(node, ast.ExceptHandler) and node.name}
    for node in ast.walk(function.node):
        match node:
            case ast.Attribute(attr="cause", value=ast.Name(id=name)) if name in caught:
                _convert_one(draft, module, node, f"{name}.cause")


def _convert_one(draft: Draft, module: Module, node: ast.Attribute, text: str) -> None:
    parent = module.parents.get(node)
    if isinstance(parent, ast.Attribute) and parent.attr in ATTRIBUTES:
        new = ATTRIBUTES[parent.attr].format(cause=text)
        draft.act(module, parent, partial(_replace, parent, _quoted(module, parent, new)))
    elif isinstance(parent, ast.Attribute) and parent.attr == "cause":
        draft.block(module, node, RULE.code, "looks behind the cause of a wrapped error", RULE.action)
        return
    elif isinstance(parent, ast.Call) and node in parent.args and len(parent.args) > 1:
        _convert_check(draft, module, parent.args[1])
    draft.note(
        module,
        node,
        RULE.code,
        "review",
        "the cause is the step's own error, not an ApplicationError around it",
        RULE.action,
    )


def _quoted(module: Module, node: ast.AST, text: str) -> str:
    """Use the other quotes inside an f-string: before Python 3.12 its own may not stand in it."""
    for parent in module.ancestors(node):
        if isinstance(parent, ast.JoinedStr):
            source = ast.get_source_segment(module.source.text, parent) or ""
            return text.replace('"', "'") if source.lstrip("rRfF").startswith('"') else text
    return text


def _convert_check(draft: Draft, module: Module, node: ast.expr) -> None:
    """Convert the second argument of ``isinstance``."""
    for one in node.elts if isinstance(node, ast.Tuple) else [node]:
        new = _CLASSES.get(draft.external(module, one))
        if new is not None:
            draft.claim(one)
            draft.act(module, one, partial(_replace, one, new))


def _replace(node: ast.expr, text: str, emit: Emit) -> None:
    emit.file.replace(node, code(text.replace("{", "{{").replace("}", "}}")), code=RULE.code)
