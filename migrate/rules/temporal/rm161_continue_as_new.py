"""RM161: continue as new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.calls import argument_parts, read_arguments
from migrate.rules.temporal.queues import other_queue
from migrate.rules.temporal.workflow_reference import read_reference

if TYPE_CHECKING:
    import ast

    from migrate.findings import Level
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM161",
    title="Continue as new",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`workflow.continue_as_new(state)` becomes `yield ctx.continue_as_new(state)`: it leaves through
`finally`, is not caught by `except Exception`, and the caller's handle follows. Messages that were not handled yet
move on.""",
    why="A long history makes every recovery slower; the next run begins with an empty one.",
    action="Continue with the same workflow and arguments in args=[...].",
    minutes=15,
)
NAME: Final = "temporalio.workflow.continue_as_new"


#: Options that change nothing that the next run sees, or that nothing here looks at.
_LEFT_OUT: Final = frozenset(
    ("memo", "search_attributes", "task_timeout", "versioning_intent", "initial_versioning_behavior")
)


def convert(place: Place) -> None:
    """Convert one call."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    arguments, args_node = read_arguments(list(node.args), said)
    others = [name for name, value in said.items() if not _is_needless(place, name, value)]
    if others or any(keyword.arg is None for keyword in node.keywords):
        other = others[0] if others else "**"
        place.block(RULE.code, f"continue_as_new({other}=...) has no counterpart", RULE.action)
        return
    closed = {
        method
        for workflow in place.work.facts.workflows.values()
        for kind, method in workflow.handlers
        if kind in ("query", "validator")
    }
    if place.function in closed or place.function.name == "__init__":
        place.block(RULE.code, f"{place.function.name} cannot end the run", "Call it in the run method or in a helper.")
        return
    given = argument_parts(arguments, args_node)
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    target = place.awaited or place.node
    place.site(target)

    def make(emit: Emit) -> Part:
        return code("yield {}", call(f"{emit.ctx(place.node)}.continue_as_new", *given))

    place.replace(target, make, rule=RULE.code)


def _is_needless(place: Place, name: str, value: ast.expr) -> bool:
    """Tell whether an option can be left out, and say so."""
    draft, module = place.draft, place.module
    if name == "workflow":
        reference = read_reference(draft, place.work.facts, module, value, by=place.node)
        around = place.function.parent
        return (
            reference is not None
            and reference.workflow is not None
            and (around is reference.workflow.definition or place.function is reference.workflow.entry)
        )
    if name == "task_queue":
        return other_queue(place, value) is None
    if name not in _LEFT_OUT:
        return False
    draft.claim(value)
    level: Level = "review" if name in ("memo", "search_attributes") else "note"
    message = f"{name}= of continue_as_new has no counterpart and is left out"
    draft.note(module, value, "RM512", level, message)
    return True
