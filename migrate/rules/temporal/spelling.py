"""Values that move from a call to the mark of a step: whether they can, and how they are spelled there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from migrate.plan.fragments import Code, Hole, Part
from migrate.rules.temporal.backoff import RETRY_POLICY, backoff_arguments, read_policy
from migrate.rules.temporal.durations import literal_seconds, spell

if TYPE_CHECKING:
    from migrate.index.model import Module, Scope
    from migrate.rules.temporal.draft import Draft


def constant_key(draft: Draft, module: Module, node: ast.expr) -> str | None:
    """Return the identity of a module-level constant that a name or ``module.name`` stands for."""
    if isinstance(node, ast.Name):
        scope: Scope | None = module.scope_of.get(node, module.scope)
        while scope is not None and (node.id not in scope.bindings or scope.kind == "class"):
            scope = scope.parent
        if scope is None or scope.kind != "module" or len(scope.bindings[node.id]) != 1:
            return None
        binding = scope.bindings[node.id][0]
        if binding.kind == "value":
            return f"{module.name}.{node.id}"
        return imported_key(draft, module, binding.target) if binding.kind == "import" else None
    if isinstance(node, ast.Attribute):
        base = draft.project.resolve(module, node.value)
        if base is not None and base.kind == "module":
            return imported_key(draft, module, f"{base.name}.{node.attr}")
    return None


def imported_key(draft: Draft, module: Module, target: str) -> str | None:
    """Return the identity of an imported constant; re-exports are followed."""
    for _hop in range(16):
        parent, _, last = target.rpartition(".")
        container = draft.project.finder.find(module, parent) if parent else None
        if container is None:
            return None
        bindings = container.scope.bindings.get(last, [])
        if len(bindings) != 1:
            return None
        if bindings[0].kind != "import":
            return f"{container.name}.{last}" if bindings[0].kind == "value" else None
        module, target = container, bindings[0].target
    return None


def name_there(draft: Draft, key: str, there: Module, before: ast.AST) -> str | None:
    """Return how a constant is spelled in a module above a definition, or None if it is not known there."""
    owner, _, last = key.rpartition(".")
    if there.name == owner:
        node = there.scope.bindings[last][0].node
        return last if getattr(node, "lineno", 0) < _first_line(before) else None
    for entry in there.imports:
        if entry.scope is there.scope and imported_key(draft, there, entry.target) == key:
            return entry.local
    return None


def _first_line(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(one.lineno for one in decorators)]))  # type: ignore[attr-defined]


def text_there(draft: Draft, module: Module, node: ast.expr, there: Module, before: ast.AST) -> str | None:
    """Spell a value of ``module`` in ``there``, above ``before``; None if something in it is not known there."""
    known = literal_seconds(node, draft.resolver(module))
    if known is not None and isinstance(node, ast.Call):
        return spell(known)
    match node:
        case ast.Call():
            is_policy = draft.external(module, node.func) == RETRY_POLICY
            return _policy_there(draft, module, node, there, before) if is_policy else None
        case ast.List() | ast.Tuple():
            return _elements_there(draft, module, node, there, before)
        case ast.Constant() | ast.BinOp() | ast.UnaryOp() if known is not None or isinstance(node, ast.Constant):
            return source_text(module, node)
    key = constant_key(draft, module, node)
    return name_there(draft, key, there, before) if key is not None else None


def _elements_there(
    draft: Draft, module: Module, node: ast.List | ast.Tuple, there: Module, before: ast.AST
) -> str | None:
    parts = [text_there(draft, module, one, there, before) for one in node.elts]
    if None in parts:
        return None
    inside = ", ".join(str(part) for part in parts)
    if isinstance(node, ast.List):
        return f"[{inside}]"
    return f"({inside},)" if len(parts) == 1 else f"({inside})"


def _policy_there(draft: Draft, module: Module, node: ast.Call, there: Module, before: ast.AST) -> str | None:
    policy = read_policy(node)
    if policy is None:
        return None
    said: list[str] = []
    for name, part in backoff_arguments(policy, draft.resolver(module)):
        text = _part_there(draft, module, part, there, before)
        if text is None:
            return None
        said.append(f"{name}={text}" if said else text)
    return f"Backoff({', '.join(said)})"


def _part_there(draft: Draft, module: Module, part: Part, there: Module, before: ast.AST) -> str | None:
    if isinstance(part, str):
        return part
    if isinstance(part, ast.expr):
        return text_there(draft, module, part, there, before)
    if isinstance(part, Code):
        pieces: list[str] = []
        for piece in part.pieces:
            text = _part_there(draft, module, piece.part, there, before) if isinstance(piece, Hole) else piece
            if text is None:
                return None
            pieces.append(text)
        return "".join(pieces)
    return None


def value_key(draft: Draft, module: Module, node: ast.expr) -> str | None:
    """Return what makes two option values equal, or None if only the program knows."""
    known = literal_seconds(node, draft.resolver(module))
    if known is not None:
        return f"#{known}"
    if isinstance(node, ast.Call) and draft.external(module, node.func) == RETRY_POLICY:
        policy = read_policy(node)
        inner = {name: value_key(draft, module, value) for name, value in policy.fields.items()} if policy else {}
        return None if policy is None or None in inner.values() else f"Backoff({sorted(inner.items())})"
    if isinstance(node, (ast.List, ast.Tuple, ast.Constant)):
        try:
            return repr(ast.literal_eval(node))
        except ValueError:
            return None
    key = constant_key(draft, module, node)
    return f"@{key}" if key is not None else None


def source_text(module: Module, node: ast.expr) -> str:
    """Return an expression as it is written, on one line."""
    text = ast.get_source_segment(module.source.text, node)
    if text is not None and "\n" not in text:
        return text
    plain = ast.unparse(node)
    return plain.replace("'", '"') if '"' not in plain else plain
