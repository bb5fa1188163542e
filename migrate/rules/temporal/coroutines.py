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
    from migrate.index.references import CallSite
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.place import Place, Work

#: Code of the rule that explains these edits.
CODE: Final = "RM130"
_GROUP: Final = ("asyncio.TaskGroup.create_task",)
_TASKS: Final = frozenset({"asyncio.create_task", "asyncio.ensure_future", "asyncio.Task"})
#: Calls that begin the coroutine that they are given.
_BEGINNERS: Final = _TASKS | {"asyncio.wait_for"}
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
            made = called(draft, function.module, node.value)
            if (name and name not in _PLAIN_AWAITS) or (made is not None and not made.is_async):
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


def find_beginners(work: Work, function: Definition) -> None:
    """Let a plain function give calls that begin, if all that it gives is begun by whoever asked for it."""
    if gives_command(work, function) and all(_is_begun_by(work, site) for site in work.draft.project.callers(function)):
        for node in own_nodes(function.node):
            if isinstance(node, ast.Return) and node.value is not None:
                work.modes[node.value] = "begin"


def _begins(work: Work, definition: Definition) -> bool:
    returned = [one.value for one in own_nodes(definition.node) if isinstance(one, ast.Return)]
    return all(work.modes.get(one) == "begin" for one in returned if one is not None)


def is_in_gather(place: Place) -> bool:
    """Tell whether ``gather`` takes what a call gives: it begins commands by itself."""
    around = [one for one in place.module.ancestors(place.node) if isinstance(one, ast.Call)]
    return bool(around) and place.draft.external(place.module, around[0].func) == "asyncio.gather"


def _is_begun_by(work: Work, site: CallSite) -> bool:
    """Tell whether a call stands where it is begun: as a task, or in gather."""
    for parent in site.module.ancestors(site.node):
        if isinstance(parent, ast.Call):
            name = work.draft.external(site.module, parent.func)
            return name in _BEGINNERS or name in _GROUP or name == "asyncio.gather"
        if not isinstance(parent, (ast.Starred, ast.List, ast.ListComp, ast.GeneratorExp)):
            return False
    return False


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
    is_begun = place.work.modes.get(place.node) == "begin"
    if definition is None or place.node in place.draft.survey.handled or (place.awaited is not None and not is_begun):
        return False
    if not definition.is_async:
        return is_begun and gives_command(place.work, definition) and _begins(place.work, definition)
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
        is_stored = is_stored or place.draft.external(place.module, parent.func) == "builtins.dict"
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
        if name in _BEGINNERS and isinstance(node.args[0], ast.Name):
            work.modes.update(dict.fromkeys(_unbegun(work, function, node.args[0]), "begin"))
        elif name in _RACES and isinstance(node.args[0], ast.Name):
            begun = elements_of(function, node.args[0]) or ()
            work.begun.update(one for one in begun if _is_waiting(work, module, one))


def _unbegun(work: Work, function: Definition, name: ast.Name) -> list[ast.expr]:
    made = made_for(function.module, function, name) or []
    return [one for one in made if _is_waiting(work, function.module, one)]


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
                made = elements_of(function, generator.iter)
                return made if len(uses) - len(_appends(function, generator.iter.id)) == 1 else None
    return None


def elements_of(function: Definition, name: ast.Name) -> list[ast.expr] | None:
    """Return what a list holds that a function fills at once, or element by element; None if that is not plain."""
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
    return name in _TASKS or name in _GROUP or name.startswith("temporalio.workflow.start_")


def is_promise(work: Work, function: Definition, node: ast.expr) -> bool:
    """Tell whether an expression of no known class is taken out of something that holds started work."""
    module = function.module
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    if any(_holds_promises(work, function, one.id) for one in names):
        return not isinstance(node, ast.Name)
    if not isinstance(node, ast.Name):
        return False
    scope = module.scope_of.get(node, module.scope)
    while scope.parent is not None and node.id not in scope.bindings:
        scope = scope.parent
    for binding in scope.bindings.get(node.id, []):
        sources = list(ast.walk(binding.value)) if binding.value is not None else []
        if any(isinstance(one, ast.Await) for one in sources):
            continue  # what came out of promises
        if any(isinstance(one, ast.Name) and _holds_promises(work, function, one.id) for one in sources):
            return True
        if binding.kind == "unknown" and _unpacked_from_promises(work, function, binding.node):
            return True
    return False


def _unpacked_from_promises(work: Work, function: Definition, node: ast.AST | None) -> bool:
    """``for key, task in tasks.items()``: the loop's names come out of what it goes over."""
    iterable = getattr(node, "iter", None)
    sources = list(ast.walk(iterable)) if isinstance(iterable, ast.expr) else []
    if any(isinstance(one, ast.Await) for one in sources):
        return False
    return any(isinstance(one, ast.Name) and _holds_promises(work, function, one.id) for one in sources)


def _holds_promises(work: Work, function: Definition, name: str) -> bool:
    """Tell whether a variable holds several started calls, or those that a wait gave back."""
    module = function.module
    for node in own_nodes(function.node):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=elements)], value=ast.Await(value=ast.Call(func=waited))):
                is_named = any(isinstance(one, ast.Name) and one.id == name for one in elements)
                if is_named and work.draft.external(module, waited) in _RACES:
                    return True
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                if _begins_several(work, module, value):
                    return True
            case ast.Call() if _is_append(node, name) and _is_begun(work, module, node.args[0]):
                return True
    return False


def _begins_several(work: Work, module: Module, value: ast.expr) -> bool:
    match value:
        case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.DictComp(value=element):
            return _is_begun(work, module, element)
        case ast.List(elts=elements) | ast.Set(elts=elements) | ast.Tuple(elts=elements) | ast.Dict(values=elements):
            return bool(elements) and all(_is_begun(work, module, one) for one in elements)
    return False


def awaited_calls(work: Work, function: Definition) -> Iterator[tuple[ast.Await, ast.Call, Definition]]:
    """Yield every await of a call of the project's own functions."""
    for node in own_nodes(function.node):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            definition = called(work.draft, function.module, node.value)
            if definition is not None:
                yield node, node.value, definition
