"""RM130: ``await`` becomes ``yield``; what stands in a comprehension becomes a loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.coroutines import awaited_calls, gives_command
from migrate.rules.temporal.lowering import lower_comprehension
from migrate.rules.temporal.place import Place
from migrate.rules.temporal.trees import COMPREHENSIONS, is_inside, own_nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Work

RULE: Final = Rule(
    code="RM130",
    title="await in workflow code",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""A coroutine of a workflow becomes a generator that takes the context: `await` in front of a durable call
becomes `yield`, in front of a helper of the project `yield from`, on a started handle `yield`. No `yield` may stand
in a comprehension, so `[await f(x) for x in xs]` becomes a loop that appends.""",
    why="Durable functions are generators; each yield is the place where a result is recorded or found again.",
    action="Await only durable calls, helpers of the project and handles that a durable call gave.",
    minutes=15,
)


def convert_awaits(work: Work, function: Definition) -> None:
    """Convert ``await handle``: everything that no durable call and no helper explains."""
    module = function.module
    for node in own_nodes(function.node):
        if not isinstance(node, ast.Await) or not isinstance(node.value, (ast.Name, ast.Attribute, ast.Subscript)):
            continue
        if node in work.replaced or (isinstance(node.value, ast.Attribute) and work.draft.external(module, node.value)):
            continue
        place = Place(work, module, function, node.value, "")
        place.use_ctx()
        place.site(node)
        place.replace(node, _yielded(node.value), rule=RULE.code)


def convert_calls(work: Work, function: Definition) -> None:
    """Convert awaits of the project's own functions that the engine does not: in comprehensions, and of commands."""
    module = function.module
    for node, made, definition in awaited_calls(work, function):
        place = Place(work, module, function, made, "")
        if gives_command(work, definition):
            place.use_ctx()
            place.site(node)
            place.replace(node, _yielded(made), rule=RULE.code)
        elif definition in work.durable and is_inside(module, node, COMPREHENSIONS, function.node) is not None:
            _convert_in_comprehension(place, node, made)


def _convert_in_comprehension(place: Place, node: ast.Await, made: ast.Call) -> None:
    place.use_ctx()
    if not lower_comprehension(place, node):
        return
    place.draft.survey.handled.add(made)
    place.draft.survey.site(place.module, node, handled=True)

    def make(emit: Emit) -> Part:
        return code("yield from {}", call(made.func, emit.ctx(made), *made.args, *made.keywords))

    place.replace(node, make, rule=RULE.code)


def _yielded(value: ast.expr) -> Callable[[Emit], Part]:
    return lambda _emit: code("yield {}", value)
