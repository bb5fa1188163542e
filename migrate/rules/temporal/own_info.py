"""What ``workflow.info()`` tells, in the words of the context."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, code
from migrate.rules.temporal.facts import FUNCTIONS

if TYPE_CHECKING:
    from migrate.findings import Level
    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place, Work


@dataclass(frozen=True)
class Told:
    """One attribute or method of ``workflow.info()``.

    Attributes:
        template: new code.
        is_called: it is a method.
        is_helper: the official SDK's context does not tell it.
        code: rule of the note about what is different, if anything is.
    """

    template: str
    is_called: bool = False
    is_helper: bool = False
    code: str = ""
    level: Level = "note"
    message: str = ""
    action: str = ""


_WORKFLOW_ID: Final = "workflow_id"
_START: Final = Told(
    "{datetime}.fromtimestamp({ctx}.info.created_at, {utc})",
    is_helper=True,
    code="RM505",
    level="review",
    message="the start time is that of the first run, also after a continue-as-new",
    action="Take ctx.now() at the beginning of the run where the run's own start is meant.",
)
#: Attributes of ``workflow.info()`` that have a counterpart.
INFO: Final = {
    _WORKFLOW_ID: Told("{ctx}.id"),
    "workflow_type": Told("{ctx}.info.function"),
    "run_id": Told(
        "{ctx}.info.run_id",
        is_helper=True,
        code="RM505",
        message="the id of a run is the execution's id here, with a number after each continue-as-new; no UUID",
    ),
    "attempt": Told(
        "1", code="RM512", message="attempt of an execution is always 1: it is never tried again as a whole"
    ),
    "start_time": _START,
    "workflow_start_time": _START,
    "get_current_history_length": Told(
        "{ctx}.info.history_length",
        is_called=True,
        is_helper=True,
        code="RM505",
        message="the history is counted in events of Resonate, of which a step makes one, not three or more",
    ),
    "is_target_worker_deployment_version_changed": Told(
        "False",
        is_called=True,
        code="RM512",
        message="workers have no deployment versions: an execution stays on the version of its function",
    ),
    "is_continue_as_new_suggested": Told(
        "{ctx}.info.is_continue_as_new_suggested", is_called=True, is_helper=True
    ),
}


def told_by(place: Place, node: ast.expr) -> tuple[ast.expr, Told] | None:
    """Return what to replace, and by what, for an attribute of ``workflow.info()``; None if there is nothing."""
    if not isinstance(node, ast.Attribute):
        return None
    found = INFO.get(node.attr)
    if found is None or not found.is_called:
        return None if found is None else (node, found)
    around = place.module.parents.get(node)
    is_plain = isinstance(around, ast.Call) and around.func is node and not around.args and not around.keywords
    return (around, found) if is_plain and isinstance(around, ast.Call) else None


def note(place: Place, node: ast.expr, told: Told) -> None:
    """Say what the place needs, and what is different."""
    if told.is_helper:
        place.helper("RM151")
    if told.code:
        place.draft.note(place.module, node, told.code, told.level, told.message, told.action)


def part_of(place: Place, emit: Emit, told: Told) -> Part:
    """Write an attribute; in a branch of its own the context's id is the branch's, so the execution's is asked for."""
    ctx = emit.ctx(place.node)
    if told is INFO[_WORKFLOW_ID] and place.function in branches(place.work):
        return code("{ctx}.info.execution_id", ctx=ctx)
    names: dict[str, Part] = {"ctx": ctx} if "{ctx}" in told.template else {}
    if told is _START:
        names |= {"datetime": emit.file.name("datetime.datetime"), "utc": emit.file.name("datetime.UTC")}
    return code(told.template, **names)


def branches(work: Work) -> set[Definition]:
    """Return the functions that may run beside the entry, under a context of their own: handlers, tasks, helpers."""
    roots = {
        method for workflow in work.facts.workflows.values() for kind, method in workflow.handlers if kind != "query"
    }
    found: set[Definition] = set()
    stack = [*roots, *work.begun_functions]
    while stack:
        current = stack.pop()
        if current in found or not isinstance(current.node, FUNCTIONS):
            continue
        found.add(current)
        stack.extend(site.callee for site in work.draft.project.callees(current))
        stack.extend(member for member in work.draft.project.classes.family(current))
        stack.extend(one for one in current.module.definitions.values() if one.parent is current)
    return found
