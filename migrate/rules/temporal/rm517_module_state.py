"""RM517: workflow code that changes what a module holds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate.index.model import Binding, Definition, Module
    from migrate.rules.temporal.draft import Draft

RULE: Final = Rule(
    code="RM517",
    title="State of a module that workflow code changes",
    family="semantics",
    level="review",
    applicability="review",
    what="""A list, dict or set at the top of a module, or a `global` name, that a workflow or a function it calls
changes. Temporal's sandbox imports the module anew for each run; here all runs of a process share it, and a replay
changes it again.""",
    why="What a workflow decides by must come from its arguments, its results and its own attributes.",
    action="Keep it in an attribute of the workflow, or change it in a step.",
    minutes=10,
)
_CHANGES: Final = frozenset(
    (
        *("append", "extend", "insert", "pop", "remove", "clear", "add", "discard", "update", "setdefault"),
        *("popitem", "popleft", "appendleft", "sort", "reverse"),
    )
)
_DISPLAYS: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_MAKERS: Final = frozenset(
    (
        *("builtins.list", "builtins.dict", "builtins.set"),
        *("collections.defaultdict", "collections.deque", "collections.Counter", "collections.OrderedDict"),
    )
)


def note(draft: Draft, functions: Iterable[Definition]) -> None:
    """Say where workflow code changes the state of a module, itself or in a plain function that it calls."""
    seen: set[Definition] = set()
    waiting = list(functions)
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        for node, name in _changes(draft, function):
            message = f"{name} belongs to the module: all runs in a process share it"
            draft.note(function.module, node, RULE.code, "review", message, RULE.action)
        waiting += _plain_callees(draft, function)


def _changes(draft: Draft, function: Definition) -> Iterator[tuple[ast.AST, str]]:
    for node in own_nodes(function.node):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name() as held, attr=attr)) if attr in _CHANGES:
                pass
            case ast.Subscript(value=ast.Name() as held, ctx=ast.Store() | ast.Del()):
                pass
            case ast.Name(ctx=ast.Store()) if node.id in function.inner.elsewhere:
                if function.inner.elsewhere[node.id].kind == "module":
                    yield node, node.id
                continue
            case _:
                continue
        if any(_is_mutable(draft, function.module, one) for one in _module_bindings(function, held)):
            yield node, held.id


def _module_bindings(function: Definition, name: ast.Name) -> list[Binding]:
    """Return what a name is bound to if it is a variable of the function's own module."""
    scope = function.module.scope_of.get(name, function.inner)
    while scope.kind != "module":
        if name.id in scope.bindings and scope.kind == "function":
            return []
        if scope.parent is None:
            return []
        scope = scope.parent
    return scope.bindings.get(name.id, [])


def _is_mutable(draft: Draft, module: Module, binding: Binding) -> bool:
    value = binding.value
    if isinstance(value, ast.Call):
        return draft.external(module, value.func) in _MAKERS
    return isinstance(value, _DISPLAYS)


def _plain_callees(draft: Draft, function: Definition) -> list[Definition]:
    """Return the plain functions of the project that a function calls by name."""
    found = []
    for node in own_nodes(function.node):
        if isinstance(node, ast.Call):
            resolved = draft.project.resolve(function.module, node.func)
            definition = resolved.definition if resolved is not None and resolved.kind == "definition" else None
            if definition is not None and isinstance(definition.node, FUNCTIONS) and not definition.is_async:
                found.append(definition)
    return found
