"""Whether an id is new by construction: it contains a random part."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft

_RANDOM: Final = frozenset(
    {"uuid.uuid4", "uuid.uuid1", "uuid.uuid7", "secrets.token_hex", "secrets.token_urlsafe", "ulid.new", "ulid.ULID",
     "nanoid.generate"}
)  # fmt: skip
_DEPTH_MAX: Final = 8


def is_fresh(draft: Draft, module: Module, node: ast.expr, depth: int = 0) -> bool:
    """Tell whether every evaluation of an id expression, or of the local name it stands for, gives a new one."""
    if depth > _DEPTH_MAX:
        return False
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and draft.external(module, inner.func) in _RANDOM:
            return True
        if isinstance(inner, ast.Name):
            value = _only_value(module, inner)
            if value is not None and is_fresh(draft, module, value, depth + 1):
                return True
    return False


def _only_value(module: Module, node: ast.Name) -> ast.expr | None:
    """Return what the one assignment of a local name says; module constants are made once, so they are not fresh."""
    scope = module.scope_of.get(node)
    while scope is not None and node.id not in scope.bindings:
        scope = scope.parent
    if scope is None or scope.kind != "function":
        return None
    bindings = scope.bindings[node.id]
    if len(bindings) == 1 and bindings[0].kind == "value" and bindings[0].how == "assign":
        return bindings[0].value
    return None
