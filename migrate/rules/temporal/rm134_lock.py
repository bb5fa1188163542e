"""RM134: locks of asyncio in workflow code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, block, code, indented
from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place, Work

RULE: Final = Rule(
    code="RM134",
    title="asyncio.Lock as the state of a workflow",
    family="temporal",
    level="review",
    applicability="review",
    what="""A lock that is made in the constructor and only ever used in `async with self.lock:` becomes a flag: the
branch waits while it is up, puts it up, and puts it down again in `finally`. Branches switch only at a yield.""",
    why="A lock of asyncio belongs to an event loop; a durable function waits with ctx.wait_until.",
    action="Look whether the order in which branches get the lock matters.",
    minutes=15,
)
LOCK: Final = "asyncio.Lock"


def attributes_of(work: Work, owner: Definition, kinds: tuple[str, ...]) -> set[str]:
    """Return the attributes of a class that are locks (or other things of asyncio to enter) and nothing else."""
    if not any(kind.rpartition(".")[2] in owner.module.source.text for kind in kinds):
        return set()
    found = {
        name
        for name, pairs in work.draft.project.classes.assignments(owner).items()
        if len(pairs) == 1 and _is_made(work, owner, pairs[0][0], kinds)
    }
    for node in ast.walk(owner.node):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Load()) if name in found:
                if not isinstance(owner.module.parents.get(node), ast.withitem):
                    found.discard(name)
    return found


def _is_made(work: Work, owner: Definition, value: ast.expr | None, kinds: tuple[str, ...]) -> bool:
    if not isinstance(value, ast.Call) or value.keywords:
        return False
    name = work.draft.external(owner.module, value.func)
    return name in kinds and not (name == LOCK and value.args)


def convert_constructor(place: Place) -> None:
    """Convert ``self.lock = asyncio.Lock()``."""
    owner = place.function.parent
    statement = place.statement
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    locks = attributes_of(place.work, owner, (LOCK,)) if owner is not None else set()
    is_own = isinstance(target, ast.Attribute) and target.attr in locks
    if not is_own or place.function.name != "__init__":
        place.block(RULE.code, "this lock is used otherwise than in async with", RULE.action)
        return
    place.claim()
    place.replace(place.node, lambda _emit: "False", rule=RULE.code)


def convert_blocks(work: Work, function: Definition) -> None:
    """Convert every ``async with self.lock:`` of a method."""
    owner = function.parent
    if owner is None or not isinstance(owner.node, ast.ClassDef):
        return
    locks = attributes_of(work, owner, (LOCK,))
    for node in ast.walk(function.node) if locks else ():
        match node:
            case ast.AsyncWith(items=[ast.withitem(context_expr=ast.Attribute(attr=name) as lock, optional_vars=None)]):
                if name in locks and function.module.function_around(node) is function:
                    _convert_block(work, function, node, lock)


def _convert_block(work: Work, function: Definition, node: ast.AsyncWith, lock: ast.Attribute) -> None:
    module = function.module
    work.needs_ctx.add(function)
    work.draft.survey.handled.add(node)
    work.draft.survey.site(module, lock)
    work.draft.need(module, node, "helper", RULE.code)
    work.draft.note(module, node, RULE.code, "review", "the lock becomes a flag and a wait", RULE.action)
    name = ast.unparse(lock)

    def edit(emit: Emit) -> None:
        wait = code(f"yield {{}}.wait_until(lambda: not {name})", emit.ctx(node))
        # Two branches may be woken by the same event: whoever comes second must look again.
        taken = block(f"while {name}:", indented(wait), f"{name} = True")
        new = block(taken, "try:", indented(Body(node)), "finally:", indented(f"{name} = False"))
        emit.file.replace(node, new, code=RULE.code)

    work.draft.act(module, node, edit)
