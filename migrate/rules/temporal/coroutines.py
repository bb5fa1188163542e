"""Coroutines of the project that are kept instead of awaited at once.

A coroutine that somebody keeps (in a list for ``gather``, in a variable, as the value of a plain function) does nothing
until it is awaited. A command of the context is the same kind of thing: ``self._fetch(x)`` becomes
``ctx.run(self._fetch, x)``, and whoever awaited it yields it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call
from migrate.rules.temporal.calls import ACTIVITY_CALLS
from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate.index.model import Definition, Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.place import Place, Work

#: Code of the rule that explains these edits.
CODE: Final = "RM130"
_TASKS: Final = frozenset({"asyncio.create_task", "asyncio.ensure_future", "asyncio.Task"})
#: Calls that want what they are given to run already.
_RACES: Final = frozenset(
    {"asyncio.as_completed", "temporalio.workflow.as_completed", "asyncio.wait", "temporalio.workflow.wait"}
)
#: Awaits that hold no durable call.
_PLAIN_AWAITS: Final = ("asyncio.Queue.put",)
_CONTAINERS: Final = (
    ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp,
    ast.Assign, ast.AnnAssign, ast.NamedExpr,
)  # fmt: skip


def durable_functions(draft: Draft, functions: Iterable[Definition]) -> set[Definition]:
    """Return the async functions of workflow code that await something durable, themselves or through others."""
    asynchronous = [one for one in functions if one.is_async]
    found = {one for one in asynchronous if _awaits_outside(draft, one)}
    fresh = set(found)
    while fresh:
        related = {member for one in fresh for member in draft.project.classes.family(one)}
        callers = {site.caller for one in related | fresh for site in draft.project.callers(one)}
        fresh = ({one for one in asynchronous if one in callers} | related) - found
        found |= fresh
    return found


def _awaits_outside(draft: Draft, function: Definition) -> bool:
    """Tell whether a function awaits something that is no call of the project."""
    for node in own_nodes(function.node):
        if isinstance(node, (ast.AsyncWith, ast.AsyncFor)):
            return True
        if isinstance(node, ast.Await):
            if not isinstance(node.value, ast.Call):
                return True
            name = draft.external(function.module, node.value.func)
            if name and name not in _PLAIN_AWAITS:
                return True
    return False


def called(draft: Draft, module: Module, node: ast.expr) -> Definition | None:
    """Return the function of the project that an expression calls."""
    found = draft.project.resolve(module, node.func) if isinstance(node, ast.Call) else None
    definition = found.definition if found is not None else None
    return definition if definition is not None and isinstance(definition.node, FUNCTIONS) else None


def gives_command(work: Work, definition: Definition) -> bool:
    """Tell whether a plain function gives back a durable call that it does not await."""
    if definition.is_async or definition not in work.code:
        return False
    module = definition.module
    returned = [one.value for one in own_nodes(definition.node) if isinstance(one, ast.Return)]
    return bool(returned) and all(one is not None and _is_coroutine(work, module, one) for one in returned)


def annotate(work: Work, definition: Definition) -> None:
    """Give a plain function that returns a command instead of a coroutine a return annotation that is still true."""
    node = definition.node
    if not isinstance(node, FUNCTIONS) or node.returns is None or not gives_command(work, definition):
        return

    def edit(emit: Emit) -> None:
        emit.file.set_returns(node, emit.file.name("typing.Any", typing_only=True), code=CODE)

    work.draft.act(definition.module, node, edit)


def _is_coroutine(work: Work, module: Module, node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if work.draft.external(module, node.func).startswith("temporalio.workflow.execute_"):
        return True
    return called(work.draft, module, node) in work.durable


def convert(place: Place) -> bool:
    """Convert a coroutine of the project that is not awaited where it is made; say whether it was one."""
    definition = called(place.draft, place.module, place.node)
    if definition is None or place.awaited is not None or place.node in place.draft.survey.handled:
        return False
    is_begun = place.work.modes.get(place.node) == "begin"
    if not definition.is_async:
        return is_begun and gives_command(place.work, definition)
    if definition not in place.work.durable or not (is_begun or _is_kept(place)):
        return False
    node = place.call
    place.helper(CODE)
    place.draft.survey.handled.add(node)
    place.work.begun_functions.add(definition)

    def make(emit: Emit, begin: bool) -> Part:
        arguments: list[Part] = [*node.args, *node.keywords]
        return call(f"{emit.ctx(node)}.{'begin_run' if begin else 'run'}", node.func, *arguments)

    place.command(make, rule=CODE, starts=node in place.work.begun)
    return True


def _is_kept(place: Place) -> bool:
    """Tell whether a coroutine goes where somebody can await it later."""
    parent = place.parent
    if isinstance(parent, ast.keyword):
        parent = place.module.parents.get(parent)
    if isinstance(parent, ast.Call):
        is_stored = isinstance(parent.func, ast.Attribute) and parent.func.attr in ("append", "add")
        return is_stored or called(place.draft, place.module, parent) in place.work.code
    if isinstance(parent, ast.Return):
        return not place.function.is_async
    return isinstance(parent, _CONTAINERS)


# -- coroutines that something further down begins


def find_begun(work: Work, function: Definition) -> None:
    """Find coroutines that are made first, and begun by ``create_task``, ``wait`` or ``as_completed`` later."""
    module = function.module
    for node in own_nodes(function.node):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = work.draft.external(module, node.func)
        if name in _TASKS and isinstance(node.args[0], ast.Name):
            work.modes.update(dict.fromkeys(made_for(module, function, node.args[0]) or (), "begin"))
        elif name in _RACES and isinstance(node.args[0], ast.Name):
            begun = elements_of(module, function, node.args[0]) or ()
            work.begun.update(one for one in begun if _is_waiting(work, module, one))


def made_for(module: Module, function: Definition, name: ast.Name) -> list[ast.expr] | None:
    """Return the coroutines that a name stands for, if each is made once, for this use only."""
    loads = [one for one in ast.walk(function.node) if _is_load(one, name.id)]
    bindings = function.inner.bindings.get(name.id, [])
    if len(loads) == 1 and len(bindings) == 1 and bindings[0].how == "assign":
        value = bindings[0].value
        return [value] if isinstance(value, ast.Call) else None
    for parent in module.ancestors(name):
        if isinstance(parent, (ast.ListComp, ast.GeneratorExp)) and len(parent.generators) == 1:
            generator = parent.generators[0]
            is_it = isinstance(generator.target, ast.Name) and generator.target.id == name.id
            if is_it and isinstance(generator.iter, ast.Name):
                uses = [one for one in ast.walk(function.node) if _is_load(one, generator.iter.id)]
                made = elements_of(module, function, generator.iter)
                return made if len(uses) - len(_appends(function, generator.iter.id)) == 1 else None
    return None


def elements_of(module: Module, function: Definition, name: ast.Name) -> list[ast.expr] | None:
    """Return what a list holds that a function fills at once, or element by element; None if that is not plain."""
    del module
    bindings = function.inner.bindings.get(name.id, [])
    if len(bindings) != 1 or bindings[0].how != "assign":
        return None
    appended = [one.args[0] for one in _appends(function, name.id) if len(one.args) == 1]
    match bindings[0].value:
        case ast.ListComp(elt=element):
            return [element, *appended]
        case ast.List(elts=elements):
            return [*elements, *appended]
    return None


def _appends(function: Definition, name: str) -> list[ast.Call]:
    return [one for one in ast.walk(function.node) if _is_append(one, name)]  # type: ignore[misc]


def _is_append(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="append")) if found == name:
            return True
    return False


def _is_load(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _is_waiting(work: Work, module: Module, node: ast.expr) -> bool:
    """Tell whether an expression makes something that has not begun: a coroutine."""
    name = work.draft.external(module, node.func) if isinstance(node, ast.Call) else ""
    if name in ACTIVITY_CALLS or name == "temporalio.workflow.execute_child_workflow":
        return not name.rpartition(".")[2].startswith("start_")
    return called(work.draft, module, node) in work.durable


def are_begun(work: Work, module: Module, elements: Iterable[ast.expr]) -> bool:
    """Tell whether every element is a promise once the rules are done."""
    return all(_is_begun(work, module, one) for one in elements)


def _is_begun(work: Work, module: Module, node: ast.expr) -> bool:
    if node in work.begun:
        return True
    inner = node.value if isinstance(node, ast.Await) else node
    name = work.draft.external(module, inner.func) if isinstance(inner, ast.Call) else ""
    return name in _TASKS or name.startswith("temporalio.workflow.start_")


def awaited_calls(work: Work, function: Definition) -> Iterator[tuple[ast.Await, ast.Call, Definition]]:
    """Yield every await of a call of the project's own functions."""
    for node in own_nodes(function.node):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            definition = called(work.draft, function.module, node.value)
            if definition is not None:
                yield node, node.value, definition
