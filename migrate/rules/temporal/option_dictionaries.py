"""Options of activity calls: their names here and there, and dictionaries that hold them for several calls."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call, code
from migrate.rules.temporal.backoff import RETRY_POLICY, backoff_part, or_default, read_policy
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.option_sources import argument_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Facts
    from migrate.rules.temporal.option_sources import Item, Options, Owner, Sources

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
#: Options without any effect on what a program does, which a shared dictionary may hold too.
DISPLAY_ONLY: Final = frozenset(
    ("summary", "versioning_intent", "event_groups", "local_retry_threshold", "disable_eager_execution")
)


def survey_dictionaries(draft: Draft, facts: Facts, sources: Sources) -> None:
    """Leave the edits of every dictionary of options, once; all its uses must be calls of activities."""
    read: list[Options] = []
    for one in facts.calls.values():
        for splat in one.splats:
            found = sources.read(one.module, splat)
            if found is None or not found.names <= set(RENAMED) | DISPLAY_ONLY:
                message = "the options of this activity call come from a mapping built elsewhere"
                draft.block(one.module, splat, CODE, message, ACTION)
                continue
            read.append(found)
            for module, display in found.displays:
                draft.link(draft.unit(one.module, one.node), draft.unit(module, display))
    _edit_displays(draft, read)
    for module, node in _other_uses(draft, sources):
        draft.block(module, node, CODE, "this dictionary of options is used for something else too", ACTION)


def _edit_displays(draft: Draft, read: list[Options]) -> None:
    done: set[ast.AST] = set()
    for options in read:
        for module, display in options.displays:
            if display not in done:
                done.add(display)
                items = [item for item in options.items if item.display is display]
                _claim(draft, display, items)
                draft.act(module, display, partial(convert_display, draft, display, items))
        for item in options.items:
            if item.display is None and item.place not in done:
                done.add(item.place)
                draft.claim(item.value)
                draft.act(item.module, item.place, partial(_convert_item, draft, item))
        for item in options.items:
            if item.name in DISPLAY_ONLY and item.value not in done:
                done.add(item.value)
                text = f"{item.name}= has no counterpart and is left out"
                draft.note(item.module, item.value, "RM512", "note", text)


def _claim(draft: Draft, display: ast.expr, items: list[Item]) -> None:
    if isinstance(display, ast.Call):
        draft.claim(display.func)
    for item in items:
        draft.claim(item.value)


def _other_uses(draft: Draft, sources: Sources) -> Iterator[tuple[Module, ast.AST]]:
    """Yield every look at a dictionary of options that is no way to an activity call."""
    for owner in sources.owners:
        for module in draft.project.modules.values():
            for node in module.references:
                is_other = node not in sources.used and _says(draft, module, node, owner)
                if is_other and not _is_unused(draft, module, node):
                    yield module, node
    for function in sources.functions:
        for reference in draft.project.references(function):
            if reference.kind in ("name", "member") and reference.node not in sources.used:
                yield reference.module, reference.node


def _says(draft: Draft, module: Module, node: ast.expr, owner: Owner) -> bool:
    """Tell whether an expression looks at the dictionary that is kept in this place."""
    if owner.name.startswith("."):
        return _says_attribute(draft, module, node, owner)
    if module is not owner.module:
        entry = next((one for one in module.imports if isinstance(node, ast.Name) and one.local == node.id), None)
        return entry is not None and entry.target == f"{owner.module.name}.{owner.name}"
    root: ast.expr = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name) or root.id != owner.name:
        return False
    scope = module.scope_of.get(root, module.scope)
    while scope.parent is not None and (root.id not in scope.bindings or scope.kind == "class"):
        scope = scope.parent
    return scope.node is owner.scope


def _is_unused(draft: Draft, module: Module, node: ast.expr) -> bool:
    """Tell whether an expression is handed to a function of the project that does not look at it."""
    around = module.parents.get(node)
    made = module.parents.get(around) if isinstance(around, ast.keyword) else around
    found = draft.project.resolve(module, made.func) if isinstance(made, ast.Call) else None
    definition = found.definition if found is not None else None
    if definition is None or not isinstance(made, ast.Call) or not isinstance(definition.node, FUNCTIONS):
        return False
    arguments = definition.node.args
    for name in [one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]:
        if argument_of(definition, made, name) is node:
            return not any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(definition.node))
    return False


def _says_attribute(draft: Draft, module: Module, node: ast.expr, owner: Owner) -> bool:
    chain: ast.expr = node
    while isinstance(chain, ast.Attribute) and f".{chain.attr}" != owner.name:
        chain = chain.value
    if not isinstance(chain, ast.Attribute) or not isinstance(chain.ctx, ast.Load):
        return False
    base = draft.project.resolve(module, chain.value)
    return base is not None and base.definition is not None and base.definition.node is owner.scope


def convert_display(draft: Draft, display: ast.expr, items: list[Item], emit: Emit) -> None:
    """Give a dictionary of options our names and values."""
    dropped = [item for item in items if item.name in DISPLAY_ONLY]
    kept = [item for item in items if item.name not in DISPLAY_ONLY]
    if isinstance(display, ast.Call):
        mine = {item.place: item for item in kept}
        parts: list[Part] = list(display.args)
        for keyword in display.keywords:
            if keyword.arg is None:
                parts.append(keyword)
            elif keyword in mine:
                parts.append(Named(RENAMED[keyword.arg], value_part(draft, emit, keyword.arg, keyword.value)))
        emit.file.replace(display, call("dict", *parts), code=CODE)
        return
    if dropped and isinstance(display, ast.Dict):
        _rewrite_dict(draft, display, emit)
        return
    for item in kept:
        _convert_item(draft, item, emit)


def _rewrite_dict(draft: Draft, display: ast.Dict, emit: Emit) -> None:
    """Write a display anew, without the options that mean nothing here."""
    pieces: list[str] = []
    holes: list[Part] = []
    for key, value in zip(display.keys, display.values, strict=True):
        name = str(getattr(key, "value", ""))
        if key is None:
            pieces.append("**{}")
            holes.append(value)
        elif name not in DISPLAY_ONLY:
            pieces.append(f'"{RENAMED[name]}": {{}}')
            holes.append(value_part(draft, emit, name, value))
    emit.file.replace(display, code("{{" + ", ".join(pieces) + "}}", *holes), code=CODE)


def _convert_item(draft: Draft, item: Item, emit: Emit) -> None:
    new = value_part(draft, emit, item.name, item.value)
    if isinstance(item.place, ast.keyword):
        emit.file.replace(item.place, Named(RENAMED[item.name], new), code=CODE)
        return
    if RENAMED[item.name] != item.name:
        emit.file.replace(item.place, f'"{RENAMED[item.name]}"', code=CODE)
    if new is not item.value:
        emit.file.replace(item.value, new, code=CODE)


def value_part(draft: Draft, emit: Emit, name: str, value: ast.expr) -> Part:
    """Return the new code of one option in a dictionary."""
    if name != "retry_policy":
        return seconds_part(value, draft.resolver(emit.module))
    if isinstance(value, ast.Call) and draft.external(emit.module, value.func) == RETRY_POLICY:
        policy = read_policy(value)
        assert policy is not None, "a policy that cannot be read blocks its unit"
        if policy.is_single:
            return f"{emit.core('Never')}()"
        return backoff_part(policy, emit.core("Backoff"), draft.resolver(emit.module))
    return or_default(draft, emit, emit.module, value)
