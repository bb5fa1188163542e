"""RM121: activities called by their name become ``ctx.rpc`` by name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal import rm507_elsewhere

if TYPE_CHECKING:
    from migrate.rules.temporal.facts import ActivityCall
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM121",
    title="Activity called by name",
    family="temporal",
    level="review",
    applicability="review",
    what="""`execute_activity("charge", order)` becomes `ctx.rpc("charge", order)`: any worker of the group that has
a step of this name runs it. A name that only the program knows is passed on as it is.""",
    why="""Temporal gives the result of a call by name as plain JSON (a dict), or as `result_type=` says. Here the
step's own annotation decides, so an object arrives where the workflow may expect a dict.""",
    action="Look at how the result is used: attributes instead of keys if the step returns a class.",
    minutes=5,
)
#: Annotations whose values look the same as JSON and as Python objects.
_PLAIN: Final = frozenset({"str", "int", "float", "bool", "None", "dict", "list", "Any", "object"})


def check_result(place: Place, one: ActivityCall) -> None:
    """Say what changes about the result of a call by name."""
    if one.activity is None and one.name is not None:
        rm507_elsewhere.note(place.draft, place.module, place.node, "step", one.name)
        if (place.module.path, one.name) not in place.work.named:  # once in a file is enough
            place.work.named.add((place.module.path, one.name))
            place.draft.mark(place.module, place.node, "RM507", f"the worker of {one.name} must move to Resonate too")
    awaited = place.awaited
    is_dropped = awaited is not None and isinstance(place.module.parents.get(awaited), ast.Expr)
    if is_dropped:
        return
    if one.activity is None:
        what = f"step {one.name!r} is unknown" if one.name else "which step runs is decided at run time"
        place.draft.note(
            place.module,
            place.node,
            RULE.code,
            "review",
            f"{what}: its result arrives as its own annotation says",
            RULE.action,
        )
        return
    returns = one.activity.definition.node.returns  # type: ignore[union-attr]
    if returns is None or not _is_plain(returns):
        wanted = one.options.get("result_type")
        if wanted is None or returns is None or ast.unparse(wanted) != ast.unparse(returns):
            place.draft.note(
                place.module,
                place.node,
                RULE.code,
                "review",
                f"the result of step {one.name!r} arrives as an object, not as a dict",
                RULE.action,
            )


def _is_plain(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _is_plain(node.value) and all(_is_plain(one) for one in inner)
    if isinstance(node, ast.BinOp):
        return _is_plain(node.left) and _is_plain(node.right)
    text = ast.unparse(node).strip("'\"")
    return text.rpartition(".")[2] in _PLAIN
