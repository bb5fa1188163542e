"""Options of activity calls: their names here and there, and dictionaries that hold them for several calls."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call
from migrate.rules.temporal.backoff import RETRY_POLICY, backoff_part, read_policy
from migrate.rules.temporal.durations import seconds_part

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Facts

#: Code of the rule that explains these edits.
CODE: Final = "RM122"
ACTION: Final = "Say the options in a way that is plain to see: keyword arguments, or one dictionary of literals."
#: Options that a mark can say, in the order in which it says them, with Temporal's names.
MARK_OPTIONS: Final = {
    "attempt_timeout": "start_to_close_timeout",
    "heartbeat_timeout": "heartbeat_timeout",
    "retry_policy": "retry_policy",
}
#: Options that only a call can say.
CALL_OPTIONS: Final = {
    "timeout": "schedule_to_close_timeout",
    "schedule_to_start_timeout": "schedule_to_start_timeout",
}
#: Option names in a shared dictionary.
RENAMED: Final = {old: new for new, old in (MARK_OPTIONS | CALL_OPTIONS).items()}


def splat_keys(draft: Draft, module: Module, node: ast.expr) -> dict[str, ast.expr] | None:
    """Return what a dictionary of options holds, if a literal shows it."""
    source = dictionary(draft, module, node)
    return None if source is None else source[1]


def dictionary(draft: Draft, module: Module, node: ast.expr) -> tuple[ast.expr, dict[str, ast.expr]] | None:
    """Find the display or call that makes a dictionary of options, with what it holds."""
    if isinstance(node, ast.Name):
        scope = module.scope_of.get(node, module.scope)
        while scope.parent is not None and (node.id not in scope.bindings or scope.kind == "class"):
            scope = scope.parent
        bindings = scope.bindings.get(node.id, [])
        if len(bindings) != 1 or bindings[0].kind != "value" or bindings[0].value is None:
            return None
        node = bindings[0].value
    if isinstance(node, ast.Dict):
        names = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        if all(isinstance(name, str) for name in names):
            return node, {str(name): value for name, value in zip(names, node.values, strict=True)}
        return None
    if isinstance(node, ast.Call) and draft.external(module, node.func) in (
        "builtins.dict",
        "temporalio.workflow.ActivityConfig",
        "temporalio.workflow.LocalActivityConfig",
    ):
        if node.args or any(keyword.arg is None for keyword in node.keywords):
            return None
        return node, {str(keyword.arg): keyword.value for keyword in node.keywords}
    return None


def survey_dictionaries(draft: Draft, facts: Facts) -> None:
    """Leave the edits of every dictionary of options, once; all its uses must be calls of activities."""
    splats = {splat for one in facts.calls.values() for splat in one.splats}
    done: set[ast.expr] = set()
    for one in facts.calls.values():
        for splat in one.splats:
            found = dictionary(draft, one.module, splat)
            if found is None or found[0] in done or not set(found[1]) <= set(RENAMED):
                continue
            node, _values = found
            done.add(node)
            draft.claim(node)
            module = one.module
            others = _other_uses(module, splat, splats)
            if others is not None:
                draft.block(module, others, CODE, "this dictionary of options is used for something else too", ACTION)
            draft.act(module, node, partial(convert_dictionary, draft, node))


def _other_uses(module: Module, splat: ast.expr, splats: set[ast.expr]) -> ast.expr | None:
    if not isinstance(splat, ast.Name):
        return None
    for node in module.references:
        if isinstance(node, ast.Name) and node.id == splat.id and node not in splats:
            return node
        if isinstance(node, ast.Attribute) and ast.unparse(node).split(".")[0] == splat.id:
            return node
    return None


def convert_dictionary(draft: Draft, node: ast.expr, emit: Emit) -> None:
    """Give a shared dictionary of options our names and values."""
    items: list[tuple[ast.AST | None, str, ast.expr]] = []
    if isinstance(node, ast.Dict):
        items = [
            (key, str(getattr(key, "value", "")), value) for key, value in zip(node.keys, node.values, strict=True)
        ]
    elif isinstance(node, ast.Call):
        items = [(None, str(keyword.arg), keyword.value) for keyword in node.keywords]
    parts: list[Part] = []
    for key, name, value in items:
        new = _value_part(draft, emit, name, value)
        if key is None:
            parts.append(Named(RENAMED[name], new))
            continue
        emit.file.replace(key, f'"{RENAMED[name]}"', code=CODE)
        if new is not value:
            emit.file.replace(value, new, code=CODE)
    if isinstance(node, ast.Call):
        emit.file.replace(node, call("dict", *parts), code=CODE)


def _value_part(draft: Draft, emit: Emit, name: str, value: ast.expr) -> Part:
    if name != "retry_policy":
        return seconds_part(value, draft.resolver(emit.module))
    if isinstance(value, ast.Call) and draft.external(emit.module, value.func) == RETRY_POLICY:
        policy = read_policy(value)
        assert policy is not None
        return backoff_part(policy, emit.core("Backoff"), draft.resolver(emit.module))
    return value
