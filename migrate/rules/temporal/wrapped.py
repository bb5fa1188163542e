"""Which workflows must get wrapped errors: those whose handlers could tell a step's own error from the wrapper.

In Temporal an activity's error never reaches a workflow as itself. A raw error would be caught by an ``except
ValueError`` that never saw one before; a handler for ``ActivityError`` would miss it. Where all handlers are broad
nothing can tell.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Draft

_BROAD: Final = frozenset({"builtins.Exception", "builtins.BaseException"})
_CANCELLED: Final = frozenset({"asyncio.CancelledError", "temporalio.exceptions.CancelledError"})
_FAILURES: Final = frozenset(
    f"temporalio.exceptions.{name}" for name in ("ActivityError", "ChildWorkflowError", "FailureError", "TemporalError")
)
_WAITS: Final = frozenset({"temporalio.workflow.wait_condition", "temporalio.workflow.sleep", "asyncio.sleep"})


def looks_at_wrapper(draft: Draft, functions: Iterable[Definition]) -> bool:
    """Tell whether some function of a workflow could tell a raw error from a wrapped one."""
    return any(_looks(draft, one) for one in functions)


def _looks(draft: Draft, function: Definition) -> bool:
    module = function.module
    for node in own_nodes(function.node):
        if isinstance(node, (ast.Name, ast.Attribute)) and draft.external(module, node) in _FAILURES:
            return True
        if isinstance(node, ast.Try) and _is_picky(draft, function, node):
            return True
    return False


def _is_picky(draft: Draft, function: Definition, node: ast.Try) -> bool:
    names = {name for handler in node.handlers for name in _caught(draft, function, handler)}
    names -= _BROAD | _CANCELLED
    awaits = [one for statement in node.body for one in ast.walk(statement) if isinstance(one, ast.Await)]
    working = [one for one in awaits if not _only_waits(draft, function, one)]
    return bool(working) and bool(names)


def _only_waits(draft: Draft, function: Definition, node: ast.Await) -> bool:
    return isinstance(node.value, ast.Call) and draft.external(function.module, node.value.func) in _WAITS


def _caught(draft: Draft, function: Definition, handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return ["builtins.BaseException"]
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [draft.external(function.module, one) or ast.unparse(one) for one in types]
