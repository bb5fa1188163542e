"""Reading the calls that workflows make: which activity, which arguments, which options."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, code
from migrate.rules.temporal.facts import ActivityCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft
    from migrate.rules.temporal.facts import Facts

#: Every way to call an activity from a workflow.
ACTIVITY_CALLS: Final = frozenset(
    f"temporalio.workflow.{verb}_{what}{kind}"
    for verb in ("execute", "start")
    for what in ("activity", "local_activity")
    for kind in ("", "_method", "_class")
)


def find_calls(draft: Draft, facts: Facts) -> None:
    """Collect the activity calls of the project, and tell the activities about them."""
    for module in draft.project.modules.values():
        for node, name in draft.project.calls(module):
            if name in ACTIVITY_CALLS:
                call = _read(draft, facts, module, node, name.rpartition(".")[2])
                if call is not None:
                    facts.calls[node] = call
                    if call.activity is not None:
                        call.activity.calls.append(call)


def _read(draft: Draft, facts: Facts, module: Module, node: ast.Call, verb: str) -> ActivityCall | None:
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    splats = [keyword.value for keyword in node.keywords if keyword.arg is None]
    positional = list(node.args)
    target = positional.pop(0) if positional else said.pop("activity", None)
    if target is None or any(isinstance(arg, ast.Starred) for arg in node.args):
        return None
    arguments, args_node = read_arguments(positional, said)
    found = draft.project.resolve(module, target)
    definition = found.definition if found is not None else None
    activity = facts.activities.get(definition) if definition is not None else None
    name = draft.project.string(module, target)
    if name is not None:
        named = facts.by_name.get(name, [])
        activity = named[0] if len(named) == 1 else None
    return ActivityCall(module, node, verb, target, activity, name, arguments, args_node, said, splats)


def read_arguments(
    positional: list[ast.expr], said: dict[str, ast.expr]
) -> tuple[list[ast.expr] | None, ast.expr | None]:
    """Take ``arg`` and ``args=[...]`` out of a call's arguments.

    Returns:
        The arguments in order and what ``args=`` says; the first is None if ``args=`` is no list display.
    """
    single = said.pop("arg", None)
    several = said.pop("args", None)
    found = [*positional, *([single] if single is not None else [])]
    if several is None:
        return found, None
    if isinstance(several, (ast.List, ast.Tuple)):
        return [*found, *several.elts], several
    return None, several


def argument_parts(
    arguments: list[ast.expr] | None, args_node: ast.expr | None, *, before: Sequence[ast.expr] = ()
) -> list[Part]:
    """Return the arguments that ``read_arguments`` found as new code; what ``args=`` computes is unpacked."""
    if arguments is not None:
        return list(arguments)
    assert args_node is not None, "arguments are either listed or computed"
    return [*before, code("*{}", args_node)]
