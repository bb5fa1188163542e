"""RM139: events of asyncio in workflow code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM139",
    title="asyncio.Event as the state of a workflow",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""An `asyncio.Event` that an attribute holds becomes a flag: `set()` becomes `= True`, `clear()` becomes `=
False`, `is_set()` the flag itself, and `await event.wait()` becomes `yield ctx.wait_until(lambda: self.flag)`.""",
    why="An event of asyncio belongs to an event loop; a durable function waits with ctx.wait_until.",
    action="Keep the event in an attribute, and do not set and clear it in one go.",
    minutes=10,
)
EVENT: Final = "asyncio.Event"
WAIT: Final = f"{EVENT}.wait"
NAMES: Final = (f"{EVENT}.set", f"{EVENT}.clear", f"{EVENT}.is_set", WAIT)


def convert_constructor(place: Place) -> None:
    """Convert ``self.ready = asyncio.Event()``."""
    statement = place.statement
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    is_all = len(targets) == 1 and getattr(statement, "value", None) is place.node
    if not is_all or not isinstance(targets[0], ast.Attribute):
        place.block(RULE.code, "this event is kept in no attribute", RULE.action)
        return
    place.claim()
    place.replace(place.node, lambda _emit: "False", rule=RULE.code)


def convert_annotation(place: Place) -> None:
    """Convert ``asyncio.Event`` in an annotation."""
    place.replace(place.node, lambda _emit: "bool", rule=RULE.code)


def convert_method(place: Place) -> None:
    """Convert one call of a method."""
    node, verb = place.call, place.name.rpartition(".")[2]
    receiver = receiver_of(place, node)
    if receiver is None:
        place.block(RULE.code, f"event.{verb}() is called on no attribute", RULE.action)
        return
    if verb == "is_set":
        place.replace(node, lambda _emit: code("{}", receiver), rule=RULE.code)
        return
    if verb == "wait":
        _convert_wait(place, receiver)
        return
    statement = place.statement
    is_whole = isinstance(statement, ast.Expr) and statement.value is node
    if not is_whole or _is_pulse(place.function, ast.unparse(receiver)):
        place.block(RULE.code, f"event.{verb}() lets others see it for a moment, or gives something", RULE.action)
        return
    place.replace(statement, lambda _emit: code(f"{{}} = {verb == 'set'}", receiver), rule=RULE.code)


def receiver_of(place: Place, node: ast.expr) -> ast.Attribute | None:
    """Return the attribute that a method of an event is called on."""
    if not isinstance(node, ast.Call) or node.args or node.keywords or not isinstance(node.func, ast.Attribute):
        return None
    value = node.func.value
    is_flag = isinstance(value, ast.Attribute) and place.draft.external(place.module, node.func).startswith(f"{EVENT}.")
    return value if is_flag and isinstance(value, ast.Attribute) else None


def _convert_wait(place: Place, receiver: ast.Attribute) -> None:
    if place.awaited is None:
        place.block(RULE.code, "the wait for an event is not awaited at once", RULE.action)
        return
    place.helper(RULE.code)
    place.use_ctx()
    place.site(place.awaited)
    place.replace(
        place.awaited,
        lambda emit: code("yield {}.wait_until(lambda: {})", emit.ctx(place.node), receiver),
        rule=RULE.code,
    )


def _is_pulse(function: Definition, flag: str) -> bool:
    """Tell whether a function sets and clears the same event: who waits would see it for a moment only."""
    verbs = {
        one.func.attr
        for one in own_nodes(function.node)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and ast.unparse(one.func.value) == flag
    }
    return {"set", "clear"} <= verbs
