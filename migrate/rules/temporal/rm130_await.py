"""RM130: ``await`` becomes ``yield``; what stands in a comprehension becomes a loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, code
from migrate.rules.base import Rule
from migrate.rules.temporal.place import Place
from migrate.rules.temporal.trees import own_nodes

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
        if isinstance(node.value, ast.Attribute) and work.draft.external(module, node.value):
            continue
        place = Place(work, module, function, node.value, "")
        place.use_ctx()
        place.site(node)
        place.replace(node, _yielded(node.value), rule=RULE.code)


def _yielded(value: ast.expr) -> Callable[[Emit], Part]:
    return lambda _emit: code("yield {}", value)
