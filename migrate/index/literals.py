"""Values that are plain to see: literals, and names of constants that hold one."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.index.project import Project


@dataclass(frozen=True)
class Literal:
    """A value known without running anything.

    Attributes:
        value: the value.
        module: file that spells it.
        node: expression that spells it, where a change would have to be made.
    """

    value: Any
    module: Module
    node: ast.expr


_DEPTH_MAX: Final = 16


def literal(project: Project, module: Module, node: ast.expr | None, depth: int = 0) -> Literal | None:
    """Return the value of an expression, or None.

    Follows names of module constants, class constants and enumeration members (``Queue.MAIN`` and ``Queue.MAIN.value``)
    over the project. F-strings and calls have no plain value.
    """
    if node is None or depth > _DEPTH_MAX:
        return None
    try:
        return Literal(ast.literal_eval(node), module, node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    if isinstance(node, ast.Attribute) and node.attr == "value":
        inner = literal(project, module, node.value, depth + 1)
        if inner is not None:
            return inner
    spelled = _assigned(project, module, node)
    return literal(project, spelled[0], spelled[1], depth + 1) if spelled is not None else None


def elements(project: Project, module: Module, node: ast.expr | None, depth: int = 0) -> list[tuple[Module, ast.expr]]:
    """Return the elements of a list or tuple that are plain to see, each with the file that spells it.

    Follows names of constants, sums, and lists unpacked into others; what is put together at run time has none.
    """
    if depth > _DEPTH_MAX:
        return []
    match node:
        case ast.List(elts=inner) | ast.Tuple(elts=inner):
            return [one for element in inner for one in _element(project, module, element, depth)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return [*elements(project, module, left, depth + 1), *elements(project, module, right, depth + 1)]
        case ast.Name() | ast.Attribute():
            spelled = _assigned(project, module, node)
            return elements(project, *spelled, depth + 1) if spelled is not None else []
    return []


def _element(project: Project, module: Module, node: ast.expr, depth: int) -> list[tuple[Module, ast.expr]]:
    return elements(project, module, node.value, depth + 1) if isinstance(node, ast.Starred) else [(module, node)]


def _assigned(project: Project, module: Module, node: ast.expr) -> tuple[Module, ast.expr] | None:
    """Find the single assignment that gives a constant its value."""
    if isinstance(node, ast.Name):
        scope = module.scope_of.get(node, module.scope)
        current: Any = scope
        while current is not None:
            bindings = current.bindings.get(node.id)
            if bindings is not None and (current.kind != "class" or current is scope):
                return _follow(project, module, bindings)
            current = current.parent
        return None
    return _member(project, module, node) if isinstance(node, ast.Attribute) else None


def _member(project: Project, module: Module, node: ast.Attribute) -> tuple[Module, ast.expr] | None:
    base = project.resolve(module, node.value)
    if base is None:
        return None
    if base.kind == "module":
        found = project.modules.get(base.name)
        return _follow(project, found, found.scope.bindings.get(node.attr, [])) if found is not None else None
    if base.definition is not None and isinstance(base.definition.node, ast.ClassDef):
        for owner in project.classes.mro(base.definition):
            if not isinstance(owner, str) and node.attr in owner.inner.bindings:
                return _follow(project, owner.module, owner.inner.bindings[node.attr])
    return None


def _follow(project: Project, module: Module, bindings: list[Any]) -> tuple[Module, ast.expr] | None:
    if len(bindings) != 1:
        return None
    binding = bindings[0]
    if binding.kind == "value" and binding.how == "assign" and binding.value is not None:
        return module, binding.value
    if binding.kind == "import":
        parent, _, last = binding.target.rpartition(".")
        container = project.finder.find(module, parent) if parent else None
        if container is not None and container is not module:
            return _follow(project, container, container.scope.bindings.get(last, []))
    return None
