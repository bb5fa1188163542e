"""RM125: error classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Bare, Named, Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.durations import seconds_part

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM125",
    title="Error classes",
    family="temporal",
    level="manual",
    applicability="review",
    what="""`ApplicationError` stays under its name, imported from the runtime. In workflows `ActivityError` becomes
`StepError`, `ChildWorkflowError` becomes `ChildError`, `FailureError` the tuple of the three, and the steps are called
with `errors="wrapped"`. A cancelled
workflow gets `Cancelled` at a yield.""",
    why="""Temporal wraps the error of an activity; here the error itself arrives unless a call asks for the
wrapper. Only workflows whose handlers could tell the difference ask for it.""",
    action="Catch the error of the step itself, or the wrapper StepError with its cause.",
    minutes=15,
)
_PREFIX: Final = "temporalio.exceptions."
#: Classes with a counterpart of the runtime.
RENAMED: Final = {
    "ApplicationError": "ApplicationError",
    "ActivityError": "StepError",
    "ChildWorkflowError": "ChildError",
    "CancelledError": "Cancelled",
    "WorkflowAlreadyStartedError": "AlreadyStartedError",
}
#: Bases that catch every failure of Temporal, with what they catch in workflow code.
FAILURES: Final = (f"{_PREFIX}FailureError", f"{_PREFIX}TemporalError")
_EVERY_FAILURE: Final = ("ApplicationError", "StepError", "ChildError")
_APPLICATION_OPTIONS: Final = frozenset({"message", "type", "non_retryable", "next_retry_delay"})


def convert_check(draft: Draft, module: Module, node: ast.Call) -> None:
    """Convert ``is_cancelled_exception(err)``."""
    if len(node.args) != 1 or node.keywords:
        draft.block(module, node, RULE.code, "is_cancelled_exception is called in an unknown way", RULE.action)
        return
    draft.claim(node.func)
    draft.need(module, node, "helper", RULE.code)
    checked = node.args[0]
    draft.act(
        module,
        node,
        lambda emit: emit.file.replace(node, call("isinstance", checked, emit.core("Cancelled")), code=RULE.code),
    )


IS_CANCELLED: Final = "temporalio.exceptions.is_cancelled_exception"


def convert(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Convert one mention of an error class; ``node`` is the call if it is called."""
    last = name.removeprefix(_PREFIX)
    if last == "TimeoutError" and not isinstance(node, ast.Call):
        _convert_timeout(draft, module, node)
        return
    if last not in RENAMED:
        draft.block(module, node, RULE.code, f"{last} has no counterpart", RULE.action)
        return
    if isinstance(node, ast.Call):
        _convert_call(draft, module, node, last)
        return
    draft.claim(node)
    draft.need(module, node, "helper", RULE.code)
    draft.act(module, node, lambda emit: emit.file.replace(node, emit.core(RENAMED[last]), code=RULE.code))


def convert_failure(place: Place) -> None:
    """Convert a base of all failures where it is caught or asked for."""
    node, parent = place.node, place.parent
    around = place.module.parents.get(parent) if isinstance(parent, ast.Tuple) else parent
    is_asked = isinstance(around, ast.Call) and place.draft.external(place.module, around.func) == "builtins.isinstance"
    if not isinstance(around, ast.ExceptHandler) and not (is_asked and node not in around.args[:1]):  # type: ignore[union-attr]
        last = place.name.removeprefix(_PREFIX)
        place.block(RULE.code, f"{last} has no counterpart outside of except and isinstance", RULE.action)
        return
    place.claim()
    place.helper(RULE.code)
    if isinstance(parent, ast.Tuple):
        _convert_tuple(place, parent)
        return
    place.replace(node, lambda emit: Bare(", ".join(map(emit.core, _EVERY_FAILURE))), rule=RULE.code)


def _convert_tuple(place: Place, around: ast.Tuple) -> None:
    """Put the three classes among the others: a tuple in a tuple may not be caught."""
    names = {one: place.draft.external(place.module, one) for one in around.elts}
    first = next(one for one, name in names.items() if name in FAILURES)
    if place.node is not first:
        return
    covered = {name for name in names.values() if RENAMED.get(name.removeprefix(_PREFIX)) in _EVERY_FAILURE}
    others = [one for one, name in names.items() if name not in FAILURES and name not in covered]

    def make(emit: Emit) -> Part:
        listed: list[Part] = [*map(emit.core, _EVERY_FAILURE), *others]
        return code(", ".join("{}" for _ in listed), *listed)

    place.replace(around, make, rule=RULE.code)


def _convert_timeout(draft: Draft, module: Module, node: ast.expr) -> None:
    """Temporal's TimeoutError is the cause of a wrapper; here whatever is over in time is Python's own."""
    draft.claim(node)
    message = "a TimeoutError that a step raised itself is one too; Temporal's was for its own limits only"
    draft.note(module, node, RULE.code, "review", message, "Look whether a step raises TimeoutError.")
    draft.act(module, node, lambda emit: emit.file.replace(node, "TimeoutError", code=RULE.code))


def _convert_call(draft: Draft, module: Module, node: ast.Call, last: str) -> None:
    said = {keyword.arg: keyword.value for keyword in node.keywords}
    if last != "ApplicationError" or None in said or not set(said) <= _APPLICATION_OPTIONS | {"category"}:
        draft.block(
            module,
            node,
            RULE.code,
            f"{last} is raised with arguments that have no counterpart",
            "Raise ApplicationError(message, type=..., non_retryable=...).",
        )
        return
    draft.need(module, node, "helper", RULE.code)
    draft.claim(node.func)
    category = next((keyword for keyword in node.keywords if keyword.arg == "category"), None)
    if category is not None:
        draft.claim(category.value)
        draft.note(module, category.value, "RM512", "note", "category= of an error has no counterpart and is left out")
    draft.act(module, node, lambda emit: _edit_call(draft, emit, node))


def _edit_call(draft: Draft, emit: Emit, node: ast.Call) -> None:
    file = emit.file
    local: Part = emit.core("ApplicationError")
    file.replace(node.func, local, code=RULE.code)
    for keyword in node.keywords:
        if keyword.arg == "category":
            file.remove(keyword, code=RULE.code)
        elif keyword.arg == "next_retry_delay":
            new = seconds_part(keyword.value, draft.resolver(emit.module))
            if new is keyword.value:
                new = code("{}.total_seconds()", new)
            file.replace(keyword, Named("next_retry_delay", new), code=RULE.code)
