"""Settings of a client that come from Temporal's environment configuration."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

CODE: Final = "RM171"
LOAD: Final = "temporalio.envconfig.ClientConfig.load_client_connect_config"


def drop_environment_settings(draft: Draft, module: Module, node: ast.expr) -> bool:
    """Take out a dictionary of connect settings that was loaded from the environment, with what is done to it.

    Args:
        draft: the survey's state.
        module: file of the place.
        node: what ``Client.connect(**node)`` unpacks.

    Returns:
        Whether it was such a dictionary, used for nothing else.
    """
    if not isinstance(node, ast.Name):
        return False
    function = module.function_around(node)
    if function is None:
        return False
    uses = [one for one in ast.walk(function.node) if isinstance(one, ast.Name) and one.id == node.id]
    statements = []
    loads = []
    for one in uses:
        parent = module.parents.get(one)
        statement = _owned_statement(module, one)
        if isinstance(parent, ast.keyword) and parent.arg is None:
            continue
        if statement is None:
            return False
        statements.append(statement)
        if isinstance(statement, ast.Assign) and statement.targets[0] is one:
            loads.append(statement.value)
    if not loads or not all(isinstance(one, ast.Call) and draft.external(module, one.func) == LOAD for one in loads):
        return False
    for statement in statements:
        draft.claim(statement)
        draft.act(module, statement, partial(_remove, statement))
    draft.note(
        module,
        node,
        CODE,
        "review",
        "the client's settings came from Temporal's configuration file or environment",
        "Set RESONATE_URL where TEMPORAL_ADDRESS was set.",
    )
    return True


def _remove(statement: ast.stmt, emit: Emit) -> None:
    emit.file.remove(statement, code=CODE)


def _owned_statement(module: Module, node: ast.Name) -> ast.stmt | None:
    """Return ``config = ...``, ``config["x"] = ...`` or ``config.setdefault(...)``."""
    parent = module.parents.get(node)
    match parent:
        case ast.Assign(targets=[target]) if target is node:
            return parent
        case ast.Subscript():
            statement = module.parents.get(parent)
            return statement if isinstance(statement, ast.Assign) and statement.targets == [parent] else None
        case ast.Attribute(attr="setdefault" | "update"):
            called = module.parents.get(parent)
            statement = module.parents.get(called) if isinstance(called, ast.Call) else None
            return statement if isinstance(statement, ast.Expr) else None
    return None
