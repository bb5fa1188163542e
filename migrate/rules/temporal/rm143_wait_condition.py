"""RM143: waiting for a condition."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, block, call, code, indented
from migrate.rules.base import Rule
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.facts import is_docstring
from migrate.rules.temporal.trees import COMPREHENSIONS, free_name, is_inside

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM143",
    title="Wait for a condition",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`await workflow.wait_condition(lambda: self.paid, timeout=...)` becomes `yield ctx.wait_until(lambda:
self.paid, timeout=...)`. When the time is over first it raises TimeoutError, as before; message handlers run
between.""",
    why="The condition is looked at again after every message and every step.",
    action="Await the condition.",
    minutes=10,
)
WAIT: Final = "temporalio.workflow.wait_condition"


def convert(place: Place) -> None:
    """Convert one wait."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords}
    condition = node.args[0] if node.args else said.get("fn")
    is_begun = place.work.modes.get(node) == "begin"
    is_task = condition is not None and is_begun and place.awaited is None
    if is_task and _in_branch(place, condition, said.get("timeout")):  # type: ignore[arg-type]
        return
    if condition is None or place.awaited is None:
        place.block(RULE.code, "this condition is not awaited at once", RULE.action)
        return
    limit = said.get("timeout")
    place.helper(RULE.code)

    def make(emit: Emit, _begin: bool) -> Part:
        options: list[Part] = []
        if limit is not None and not (isinstance(limit, ast.Constant) and limit.value is None):
            options.append(Named("timeout", seconds_part(limit, place.draft.resolver(place.module))))
        return call(f"{emit.ctx(place.node)}.wait_until", condition, *options)

    place.command(make, rule=RULE.code)


def _in_branch(place: Place, condition: ast.expr, limit: ast.expr | None) -> bool:
    """A wait that is begun as a task becomes a branch: a generator function in the one that waits."""
    if not _sees_only_the_function(place, condition):
        return False
    number = place.work.conditions.get(place.function, 0) + 1
    place.work.conditions[place.function] = number
    name = free_name(place.function.node, "condition", "until") + (f"_{number}" if number > 1 else "")

    def insert(emit: Emit) -> None:
        file, ctx = emit.file, emit.ctx(place.node)
        anything = file.name("typing.Any", typing_only=True)
        generator = file.name("collections.abc.Generator", typing_only=True)
        context = emit.core("Context", typing_only=True)
        options: list[Part] = []
        if limit is not None:
            options.append(Named("timeout", seconds_part(limit, place.draft.resolver(place.module))))
        wait = code("yield {}", call(f"{ctx}.wait_until", condition, *options))
        head = f"def {name}({ctx}: {context}) -> {generator}[{anything}, {anything}, None]:"
        above = [""] if is_docstring(place.function.node.body[0]) else []
        file.insert_start(place.function.node, block(*above, head, indented(wait), ""), code=RULE.code)

    place.helper(RULE.code)
    place.draft.act(place.module, place.node, insert)
    place.command(lambda emit, _begin: call(f"{emit.ctx(place.node)}.begin_run", name), rule=RULE.code)
    return True


def _sees_only_the_function(place: Place, condition: ast.expr) -> bool:
    """Tell whether a condition means the same at the top of the function: it uses no name of a comprehension."""
    return isinstance(condition, (ast.Lambda, ast.Attribute)) and (
        is_inside(place.module, place.node, COMPREHENSIONS, place.function.node) is None
    )
