"""What becomes of started work when the workflow ends before it: Temporal stops it, and so must the new code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.temporal.trees import is_forgotten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.rules.temporal.place import Place

_CHILD: Final = "temporalio.workflow.execute_child_workflow"
_GATHER: Final = "asyncio.gather"
_COMPLETED: Final = ("temporalio.workflow.as_completed", "asyncio.as_completed")
_WAITS: Final = ("temporalio.workflow.wait", "asyncio.wait")
#: Parent close policies of children, with what begun work says.
_POLICIES: Final = {"ABANDON": "", "REQUEST_CANCEL": "cancel", "TERMINATE": "terminate"}


def ending(place: Place, node: ast.expr, work: ast.expr) -> str:
    """Return what is appended to begun work that may be left over when the workflow ends.

    Args:
        place: where it is begun.
        node: what gives the promise.
        work: the call that is begun.
    """
    if not (is_forgotten(place.module, place.function.node, node) or _may_be_left(place, node)):
        return ""
    policy = "cancel"  # the loop of asyncio ends with the workflow, and its tasks with it
    if isinstance(work, ast.Call) and place.draft.external(place.module, work.func) == _CHILD:
        said = next((one.value for one in work.keywords if one.arg == "parent_close_policy"), None)
        name = place.draft.external(place.module, said).rpartition(".")[2] if said is not None else "TERMINATE"
        policy = _POLICIES.get(name, "")
    return f'.options(parent_close="{policy}")' if policy else ""


def _may_be_left(place: Place, node: ast.expr) -> bool:
    """Tell whether started work takes part in a race, and nothing waits for it or stops it otherwise."""
    name = _kept_in(place, node)
    if name is None:
        return _is_in_race(place, node)
    uses = list(_uses(place, name))
    return "race" in uses and "end" not in uses


def _is_in_race(place: Place, node: ast.expr) -> bool:
    """Tell whether work is begun in the list that a wait for the first one takes."""
    around = place.module.parents.get(node)
    wait = place.module.parents.get(around) if isinstance(around, (ast.List, ast.Tuple, ast.Set)) else None
    if not isinstance(wait, ast.Call) or place.draft.external(place.module, wait.func) not in _WAITS:
        return False
    return any(one.arg == "return_when" for one in wait.keywords)


def _kept_in(place: Place, node: ast.expr) -> str | None:
    """Return the variable that holds a promise, alone or in a list."""
    parent = place.module.parents.get(node)
    if isinstance(parent, (ast.ListComp, ast.List)):
        parent = place.module.parents.get(parent)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append")):
            return name
    return None


def _uses(place: Place, name: str) -> Iterator[str]:
    """Yield "race" and "end" for what is done with a variable that holds promises."""
    for one in ast.walk(place.function.node):
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load):
            yield from _use(place, one)


def _use(place: Place, node: ast.Name) -> Iterator[str]:
    parent: ast.AST | None = place.module.parents.get(node)
    if isinstance(parent, ast.Await) or (isinstance(parent, ast.Attribute) and parent.attr == "cancel"):
        yield "end"
    while isinstance(parent, (ast.Starred, ast.List, ast.Tuple, ast.Set)):
        parent = place.module.parents.get(parent)
    if isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node:
        yield "end"
    if not isinstance(parent, ast.Call):
        return
    called = place.draft.external(place.module, parent.func)
    if called == _GATHER:
        yield "end"
    elif called in _WAITS:
        yield "race" if any(one.arg == "return_when" for one in parent.keywords) else "end"
    elif called in _COMPLETED:
        loop = place.module.parents.get(parent)
        leaves = isinstance(loop, ast.For) and any(isinstance(one, (ast.Break, ast.Return)) for one in ast.walk(loop))
        yield "race" if leaves else "end"
