"""RM138: semaphores of asyncio in workflow code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, block, code, indented
from migrate.rules.base import Rule
from migrate.rules.temporal.facts import own_statements
from migrate.rules.temporal.rm134_lock import attributes_of
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place, Work

RULE: Final = Rule(
    code="RM138",
    title="asyncio.Semaphore in workflow code",
    family="temporal",
    level="review",
    applicability="review",
    what="""A semaphore around the whole body of a nested function that gather runs over a list becomes
`ctx.gather(..., limit=N)`. One that is made in the constructor and only ever used in `async with self.limit:` becomes a
counter: the branch waits while it is zero, takes one, and gives it back in `finally`.""",
    why="A semaphore of asyncio belongs to an event loop; a durable function waits with ctx.wait_until.",
    action="Give gather a limit, or keep the semaphore in the constructor and use it in async with only.",
    minutes=15,
)
SEMAPHORE: Final = "asyncio.Semaphore"
NAMES: Final = (SEMAPHORE, "asyncio.BoundedSemaphore")
_GATHER: Final = "asyncio.gather"


def convert_constructor(place: Place) -> None:
    """Convert ``self.limit = asyncio.Semaphore(3)``; one that a gather takes over is converted there."""
    owner, statement, node = place.function.parent, place.statement, place.call
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    is_own = (
        isinstance(target, ast.Attribute)
        and owner is not None
        and place.function.name == "__init__"
        and target.attr in attributes_of(place.work, owner, NAMES)
    )
    if not is_own or len(node.args) != 1:
        place.block(RULE.code, "this semaphore is used otherwise than in async with", RULE.action)
        return
    place.claim()
    count = node.args[0]
    place.replace(node, lambda _emit: code("{}", count), rule=RULE.code)


# -- a limit of gather


def find_limits(work: Work, function: Definition) -> None:
    """Find semaphores that only limit how much of one gather runs at a time."""
    if "Semaphore" not in function.module.source.text:
        return
    for node in own_nodes(function.node):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[limit]) as made):
                if work.draft.external(function.module, made.func) in NAMES:
                    _take_over(work, function, node, name, limit)


def _take_over(work: Work, function: Definition, statement: ast.Assign, name: str, limit: ast.expr) -> None:
    module = function.module
    around = _only_block(work, function, name)
    inner = module.function_around(around) if around is not None else None
    gather = _only_gather(work, function, inner) if inner is not None else None
    is_fixed = isinstance(limit, (ast.Constant, ast.Name, ast.Attribute))
    if around is None or inner is None or gather is None or not is_fixed:
        return
    work.gather_limits[gather] = limit
    work.taken.add(statement.value)
    work.draft.claim(statement.value.func)  # type: ignore[attr-defined]
    work.draft.survey.handled.add(around)
    work.draft.act(module, statement, lambda emit: emit.file.remove(statement, code=RULE.code))
    work.draft.act(module, around, lambda emit: emit.file.replace(around, Body(around), code=RULE.code))


def _only_block(work: Work, function: Definition, name: str) -> ast.AsyncWith | None:
    """Return the one ``async with name:`` that is the whole body of a nested function, if there is nothing else."""
    del work
    module = function.module
    loads = [one for one in ast.walk(function.node) if isinstance(one, ast.Name) and one.id == name]
    loads = [one for one in loads if isinstance(one.ctx, ast.Load)]
    item = module.parents.get(loads[0]) if len(loads) == 1 else None
    around = module.parents.get(item) if isinstance(item, ast.withitem) else None
    inner = module.function_around(loads[0]) if loads else None
    if not isinstance(around, ast.AsyncWith) or len(around.items) != 1 or inner is None or inner.parent is not function:
        return None
    return around if own_statements(inner) == [around] and len(function.inner.bindings.get(name, [])) == 1 else None


def _only_gather(work: Work, function: Definition, inner: Definition) -> ast.Call | None:
    """Return the gather that all calls of a nested function are elements of."""
    found: set[ast.Call | None] = set()
    sites = work.draft.project.callers(inner)
    for site in sites:
        calls = [one for one in site.module.ancestors(site.node) if isinstance(one, ast.Call)]
        is_gather = bool(calls) and work.draft.external(site.module, calls[0].func) == _GATHER
        found.add(calls[0] if is_gather and site.caller is function else None)
    used = [one for one in work.draft.project.references(inner) if one.call is None]
    return next(iter(found)) if len(found) == 1 and not used else None


# -- a counter of the object


def convert_blocks(work: Work, function: Definition) -> None:
    """Convert every ``async with self.limit:`` of a method."""
    owner = function.parent
    if owner is None or not isinstance(owner.node, ast.ClassDef):
        return
    names = attributes_of(work, owner, NAMES)
    for node in ast.walk(function.node) if names else ():
        match node:
            case ast.AsyncWith(items=[ast.withitem(context_expr=ast.Attribute() as limit, optional_vars=None)]):
                if limit.attr in names and function.module.function_around(node) is function:
                    _convert_block(work, function, node, limit)


def _convert_block(work: Work, function: Definition, node: ast.AsyncWith, limit: ast.Attribute) -> None:
    module = function.module
    work.needs_ctx.add(function)
    work.draft.survey.handled.add(node)
    work.draft.survey.site(module, limit)
    work.draft.need(module, node, "helper", RULE.code)
    work.draft.note(module, node, RULE.code, "review", "the semaphore becomes a counter and a wait", RULE.action)
    name = ast.unparse(limit)

    def edit(emit: Emit) -> None:
        wait = code(f"yield {{}}.wait_until(lambda: {name} > 0)", emit.ctx(node))
        # Two branches may be woken by the same event: whoever comes second must look again.
        taken = block(f"while {name} == 0:", indented(wait), f"{name} -= 1")
        new = block(taken, "try:", indented(Body(node)), "finally:", indented(f"{name} += 1"))
        emit.file.replace(node, new, code=RULE.code)

    work.draft.act(module, node, edit)
