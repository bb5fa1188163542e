"""Waiting for the first of several: the two shapes that say plainly what they want."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, block, call, code, indented
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.trees import free_name

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

WAITS: Final = ("temporalio.workflow.wait", "asyncio.wait")
_SLEEPS: Final = ("temporalio.workflow.sleep", "asyncio.sleep")
_TASKS: Final = ("asyncio.create_task", "asyncio.ensure_future")
_CONDITION: Final = "temporalio.workflow.wait_condition"
_FIRST: Final = frozenset({"asyncio.FIRST_COMPLETED", "concurrent.futures.FIRST_COMPLETED"})


def convert(place: Place, *, rule: str, action: str) -> None:
    """Convert ``await workflow.wait([...], return_when=FIRST_COMPLETED)``."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords}
    several = node.args[0] if len(node.args) == 1 else None
    first = said.get("return_when")
    is_first = set(said) == {"return_when"} and place.draft.external(place.module, first) in _FIRST
    if not is_first or not isinstance(several, (ast.List, ast.Tuple, ast.Set)) or place.awaited is None:
        place.block(rule, f"{place.name} in workflow code has no counterpart that is plain to see", action)
        return
    if not _condition_or_time(place, several.elts, rule) and not _handles(place, several.elts, rule):
        place.block(rule, f"{place.name} in workflow code has no counterpart that is plain to see", action)


def _coroutine(place: Place, node: ast.expr) -> ast.expr:
    """Look into ``asyncio.create_task(...)``."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and place.draft.external(place.module, node.func) in _TASKS:
        return node.args[0]
    return node


def _calls(place: Place, node: ast.expr, *names: str) -> ast.Call | None:
    return node if isinstance(node, ast.Call) and place.draft.external(place.module, node.func) in names else None


def _condition_or_time(place: Place, several: list[ast.expr], rule: str) -> bool:
    """A sleep against a condition, and nobody asks which came first: a wait with a limit."""
    inner = [_coroutine(place, one) for one in several]
    sleeps = [found for one in inner if (found := _calls(place, one, *_SLEEPS)) is not None]
    conditions = [found for one in inner if (found := _calls(place, one, _CONDITION)) is not None]
    statement = place.statement
    is_plain = isinstance(statement, ast.Expr) and statement.value is place.awaited
    if len(inner) != 2 or len(sleeps) != 1 or len(conditions) != 1 or not is_plain:
        return False
    if len(sleeps[0].args) != 1 or len(conditions[0].args) != 1 or conditions[0].keywords:
        return False
    duration, condition = sleeps[0].args[0], conditions[0].args[0]
    place.helper(rule)
    place.use_ctx()
    for one in several:
        place.draft.claim(*[part for part in ast.walk(one) if part is not condition])
        for part in ast.walk(one):
            if isinstance(part, ast.Call) and part is not condition:
                place.work.taken.add(part)
    place.claim()
    assert place.awaited is not None
    place.site(place.awaited)

    def make(emit: Emit) -> Part:
        limit = seconds_part(duration, place.draft.resolver(place.module))
        wait = call(f"{emit.ctx(place.node)}.wait_until", condition, timeout=limit)
        return block("try:", indented(code("yield {}", wait)), "except TimeoutError:", indented("pass"))

    place.replace(statement, make, rule=rule)
    return True


def _handles(place: Place, several: list[ast.expr], rule: str) -> bool:
    """``done, _ = await wait([a, b], ...)``: the set of the one that came first."""
    statement = place.statement
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=done), ast.Name(id=rest)])], value=value) if (
            value is place.awaited
        ):
            pass
        case _:
            return False
    read = any(
        isinstance(one, ast.Name) and one.id == rest and isinstance(one.ctx, ast.Load)
        for one in ast.walk(place.function.node)
    )
    names = [one.id for one in several if isinstance(one, ast.Name)]
    if read or len(names) != len(several) or len(names) < 2:
        return False
    place.helper(rule)
    place.use_ctx()
    place.claim()
    assert place.awaited is not None
    place.site(place.awaited)
    index = free_name(place.function.node, "index", "first_index")
    message = "an error of the one that comes first is raised here; asyncio.wait would have kept it"
    place.draft.note(place.module, place.node, rule, "review", message, "Look what happens when the first one fails.")
    listed = ", ".join(names)

    def make(emit: Emit) -> Part:
        wait = call(f"{emit.ctx(place.node)}.select", *names)
        return block(code(f"{index}, _ = yield {{}}", wait), f"{done} = {{{{({listed})[{index}]}}}}".format())

    place.replace(statement, make, rule=rule)
    return True
