"""Clients and handles whose class is not plain to see, known by what is asked of them.

``request.app.state.client.start_workflow(Order.run, ...)``: nobody annotated the client, but only a client is asked for
that. Left alone such a call would fail when the program runs, so it is converted and reported.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft
    from migrate.rules.temporal.facts import Facts

_CLIENT: Final = "temporalio.client.Client"
_HANDLE: Final = "temporalio.client.WorkflowHandle"
_STARTS: Final = frozenset({"start_workflow", "execute_workflow"})
_GETS: Final = frozenset({"get_workflow_handle", "get_workflow_handle_for"})
_METHODS: Final = frozenset({"result", "signal", "query", "execute_update", "cancel", "terminate", "describe"})


def duck_name(draft: Draft, facts: Facts, module: Module, node: ast.Call) -> str:
    """Return the SDK's name of a method called on a thing of unknown class, or ""."""
    function = node.func
    if not isinstance(function, ast.Attribute) or not _is_unknown(draft, module, function.value):
        return ""
    if function.attr in _STARTS and _names_workflow(draft, facts, module, node):
        return f"{_CLIENT}.{function.attr}"
    if function.attr in _GETS and _imports_sdk(module):
        return f"{_CLIENT}.{function.attr}"
    if function.attr in _METHODS and _is_started(draft, facts, module, function.value):
        return f"{_HANDLE}.{function.attr}"
    return ""


def _is_unknown(draft: Draft, module: Module, node: ast.expr) -> bool:
    """Say whether nobody knows the class: no type, or an attribute of something foreign."""
    found = draft.project.resolve(module, node)
    return found is None or (found.kind == "external" and found.receiver is not None)


def _names_workflow(draft: Draft, facts: Facts, module: Module, node: ast.Call) -> bool:
    """Say whether a call names a workflow of the project, or says ``id=`` and ``task_queue=`` as only a start does."""
    if _imports_sdk(module) and {"id", "task_queue"} <= {keyword.arg for keyword in node.keywords}:
        return True
    found = draft.project.resolve(module, node.args[0]) if node.args else None
    return found is not None and (found.definition in facts.entries or found.definition in facts.workflows)


def _imports_sdk(module: Module) -> bool:
    return any(entry.target.split(".")[0] == "temporalio" for entry in module.imports)


def _is_started(draft: Draft, facts: Facts, module: Module, node: ast.expr) -> bool:
    """Say whether a handle comes from such a start or get, at once or by way of one local name."""
    if isinstance(node, ast.Name):
        scope = module.scope_of.get(node)
        bindings = scope.bindings.get(node.id, []) if scope is not None else []
        if len(bindings) != 1 or bindings[0].kind != "value" or bindings[0].how != "assign":
            return False
        node = bindings[0].value or node
    if isinstance(node, ast.Await):
        node = node.value
    name = duck_name(draft, facts, module, node) if isinstance(node, ast.Call) else ""
    return name.rpartition(".")[2] in {"start_workflow", *_GETS}
