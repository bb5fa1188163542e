"""RM126: what a workflow reads of the cause behind a wrapped error."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.temporal.trees import own_nodes

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
`err.cause.message` becomes `str(err.cause)`, and `isinstance(err.cause, ApplicationError)` becomes a
look at its class: any Exception but a TimeoutError.""",
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
#: What the wrappers say of the step or child, and what that becomes here.
_WRAPPERS: Final = {
    f"{_ERRORS}ActivityError": {"activity_type": "{error}.step", "message": "str({error})"},
    f"{_ERRORS}ChildWorkflowError": {"workflow_type": "{error}.child", "message": "str({error})"},
}
_WRAPPER_ATTRIBUTES: Final = frozenset(
    ("activity_type", "activity_id", "workflow_type", "workflow_id", "run_id", "message", "retry_state", "identity",
     "scheduled_event_id", "started_event_id", "initiated_event_id", "namespace", "failure")
)  # fmt: skip
#: A step that took too long has a cause of its own kind in Temporal.
_IS_APPLICATION_ERROR: Final = "isinstance({cause}, Exception) and not isinstance({cause}, TimeoutError)"
_CLASSES: Final = {f"{_ERRORS}ApplicationError": "Exception", f"{_ERRORS}TimeoutError": "TimeoutError"}


def convert(draft: Draft, function: Definition) -> None:
    """Convert what the handlers of one function read of ``error.cause``."""
    module = function.module
    handlers = [one for one in own_nodes(function.node) if isinstance(one, ast.ExceptHandler) and one.name]
    if not handlers:
        return
    _convert_wrappers(draft, module, handlers)
    caught = {handler.name for handler in handlers}
    for node in ast.walk(function.node):
        match node:
            case ast.Attribute(attr="cause", value=ast.Name(id=name)) if name in caught:
                _convert_one(draft, module, node, f"{name}.cause")


def _convert_wrappers(draft: Draft, module: Module, handlers: list[ast.ExceptHandler]) -> None:
    """Convert what a handler for a wrapper reads of the wrapper itself."""
    for handler in handlers:
        if handler.type is None:
            continue
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        kinds = {draft.external(module, one) for one in types} & set(_WRAPPERS)
        for node in ast.walk(handler) if kinds else ():
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if (
                    name == handler.name and attribute in _WRAPPER_ATTRIBUTES
                ):
                    _convert_attribute(draft, module, node, kinds)


def _convert_attribute(draft: Draft, module: Module, node: ast.Attribute, kinds: set[str]) -> None:
    known = {name: new for kind in kinds for name, new in _WRAPPERS[kind].items()}
    if len(kinds) != 1 or node.attr not in known:
        draft.block(module, node, RULE.code, f"{node.attr} of a wrapped error has no counterpart", RULE.action)
        return
    new = known[node.attr].format(error=ast.unparse(node.value))
    draft.act(module, node, partial(_replace, node, _quoted(module, node, new)))


def _convert_one(draft: Draft, module: Module, node: ast.Attribute, text: str) -> None:
    parent = module.parents.get(node)
    if isinstance(parent, ast.Attribute) and parent.attr in ATTRIBUTES:
        new = ATTRIBUTES[parent.attr].format(cause=text)
        draft.act(module, parent, partial(_replace, parent, _quoted(module, parent, new)))
    elif isinstance(parent, ast.Attribute) and parent.attr == "cause":
        draft.block(module, node, RULE.code, "looks behind the cause of a wrapped error", RULE.action)
        return
    elif isinstance(parent, ast.Call) and node in parent.args and len(parent.args) > 1:
        is_plain = draft.external(module, parent.args[1]) == f"{_ERRORS}ApplicationError"
        if is_plain and not _type_decides(module, parent, text):
            draft.claim(parent.args[1])
            draft.act(module, parent, partial(_replace, parent, _IS_APPLICATION_ERROR.format(cause=text)))
        else:
            _convert_check(draft, module, parent.args[1])
    draft.note(
        module,
        node,
        RULE.code,
        "review",
        "the cause is the step's own error, not an ApplicationError around it",
        RULE.action,
    )


def _type_decides(module: Module, check: ast.Call, text: str) -> bool:
    """Tell whether the type is asked for as well: that of a step that took too long is none of the program's."""
    around = module.parents.get(check)
    others = around.values if isinstance(around, ast.BoolOp) and isinstance(around.op, ast.And) else []
    return any(ast.unparse(one).startswith(f"{text}.type") for one in others)


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
