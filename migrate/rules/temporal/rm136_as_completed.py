"""RM136: results in the order in which they come: ``as_completed``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, Part, Whole, block, code, indented
from migrate.rules.base import Rule
from migrate.rules.temporal.coroutines import are_begun, elements_of
from migrate.rules.temporal.trees import (
    free_name,
    header_of,
    is_evaluated_first,
    loop_names_are_free,
    statement_of,
)

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM136",
    title="Results in the order in which they come",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`for task in workflow.as_completed(tasks): result = await task` becomes a loop over `ctx.select(*waiting)`,
which gives the place and the value of the first one that is done; it is taken off the list, and so on.""",
    why="The loop of asyncio does not run in a durable function; which one came first is recorded.",
    action="Loop over a list of started activities, children or tasks, and await each first thing in the loop.",
    minutes=20,
)
NAMES: Final = ("temporalio.workflow.as_completed", "asyncio.as_completed")


def convert(place: Place) -> None:
    """Convert ``for task in as_completed(tasks):``."""
    node, loop = place.call, place.parent
    found = _await_of(place, loop) if isinstance(loop, ast.For) and loop.iter is node else None
    several = node.args[0] if len(node.args) == 1 and not node.keywords else None
    elements = elements_of(place.function, several) if isinstance(several, ast.Name) else None
    if found is None or not elements or not are_begun(place.work, place.module, elements):
        place.block(RULE.code, "what comes first is not awaited first thing in a loop over started work", RULE.action)
        return
    assert isinstance(loop, ast.For)
    assert isinstance(several, ast.Name)
    _convert(place, loop, several.id, found)


def _await_of(place: Place, loop: ast.For) -> ast.Await | None:
    """Return the only use of the loop's name: an await in the loop's first statement."""
    if loop.orelse or not isinstance(loop.target, ast.Name):
        return None
    name = loop.target.id
    names = [one for one in ast.walk(loop) if isinstance(one, ast.Name) and one.id == name]
    uses = [one for one in names if isinstance(one.ctx, ast.Load)]
    if not loop_names_are_free(place.module, place.function.node, [loop.target], loop):
        return None
    awaited = place.module.parents.get(uses[0]) if len(uses) == 1 else None
    if not isinstance(awaited, ast.Await) or statement_of(place.module, awaited) is not loop.body[0]:
        return None
    first = loop.body[0]
    is_first = header_of(place.module, first) is not None and is_evaluated_first(place.module, awaited, first)
    return awaited if is_first else None


def _convert(place: Place, loop: ast.For, several: str, awaited: ast.Await) -> None:
    function, first = place.function.node, loop.body[0]
    waiting = free_name(function, "waiting", "open_ones")
    index = free_name(function, "index", "which")
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.site(awaited)
    match first:
        case ast.Assign(targets=[ast.Name(id=value)], value=given) if given is awaited and len(loop.body) > 1:
            rest: Part = block(*map(Whole, loop.body[1:]))
        case ast.Expr(value=given) if given is awaited and len(loop.body) > 1:
            value, rest = "_", block(*map(Whole, loop.body[1:]))
        case _:
            value, rest = free_name(function, "value", "result"), Body(loop)
            place.replace(awaited, lambda _emit: value, rule=RULE.code)
    place.work.replaced.add(awaited)

    def make(emit: Emit) -> Part:
        wait = f"{index}, {value} = yield {emit.ctx(place.node)}.select(*{waiting})"
        inside = indented(wait, f"del {waiting}[{index}]", rest)
        return block(code(f"{waiting} = list({several})"), f"while {waiting}:", inside)

    place.replace(loop, make, rule=RULE.code)
