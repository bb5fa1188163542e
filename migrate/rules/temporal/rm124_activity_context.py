"""RM124: what a running activity asks and says: heartbeat, info, logger."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.option_sources import argument_of

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

RULE: Final = Rule(
    code="RM124",
    title="Heartbeat, info and logger of an activity",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`activity.heartbeat(x)` becomes `heartbeat(x)`, `activity.logger` becomes `step_logger`, and of
`activity.info()` attempt, workflow id, activity type, limits and heartbeat details become attributes of
`step_info()`. `in_activity()` becomes `in_step()`.""",
    why="A step is a plain function; what it may ask is imported, not passed in.",
    action="Pass what the step needs as an argument.",
    minutes=10,
)
_PREFIX: Final = "temporalio.activity."
#: Attributes of ``activity.info()`` with their counterparts.
INFO: Final = {
    "attempt": "attempt",
    "workflow_id": "root_id",
    "activity_id": "id",
    "activity_type": "name",
    "heartbeat_details": "heartbeat_details",
    "heartbeat_timeout": "heartbeat_timeout",
    "start_to_close_timeout": "attempt_timeout",
    "started_time": "started_at",
    "current_attempt_scheduled_time": "started_at",
}
_SCHEDULED: Final = "current_attempt_scheduled_time"


def convert(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Convert one name; ``node`` is the call if it is called."""
    last = name.removeprefix(_PREFIX)
    first = last.split(".")[0]
    if first == "logger":
        draft.claim(node.func if isinstance(node, ast.Call) else node)
        _put(draft, module, _chain_start(draft, module, node, _PREFIX + "logger"), "step_logger")
    elif last == "heartbeat":
        function = node.func if isinstance(node, ast.Call) else node
        draft.need(module, node, "helper", RULE.code)
        _put(draft, module, function, "heartbeat")
    elif last == "in_activity":
        draft.need(module, node, "helper", RULE.code)
        _put(draft, module, node.func if isinstance(node, ast.Call) else node, "in_step")
    elif last == "is_cancelled" and isinstance(node, ast.Call):
        draft.claim(node)
        draft.act(module, node, partial(_ask, node, "is_cancelled"))
    elif last == "shield_thread_cancel_exception" and isinstance(node, ast.Call):
        _convert_shield(draft, module, node)
    elif last == "info" and isinstance(node, ast.Call):
        _convert_info(draft, module, node)
    elif last.startswith("Info.") and last.split(".")[1] in INFO:
        _convert_attribute(draft, module, node, last.split(".")[1])
    else:
        draft.block(module, node, RULE.code, f"activity.{last} has no counterpart", RULE.action)


def _chain_start(draft: Draft, module: Module, node: ast.expr, wanted: str) -> ast.expr:
    while draft.external(module, node) != wanted:
        inner = node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
        assert isinstance(inner, ast.expr), "a chain that starts at the logger ends at the logger"
        node = inner
    return node


def _put(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    draft.claim(node)
    draft.act(module, node, lambda emit: emit.file.replace(node, emit.core(name), code=RULE.code))


def _rename_attribute(node: ast.Attribute, name: str, emit: Emit) -> None:
    if node.attr != name:
        emit.file.replace(node, code("{}." + name, node.value), code=RULE.code)


def _ask(node: ast.expr, attribute: str, emit: Emit) -> None:
    emit.file.replace(node, code("{}." + attribute, call(emit.core("step_info"))), code=RULE.code)


def _convert_shield(draft: Draft, module: Module, node: ast.Call) -> None:
    """Take the block away: a step in a thread hears of its cancellation at a heartbeat only."""
    item = module.parents.get(node)
    around = module.parents.get(item) if isinstance(item, ast.withitem) else None
    if not isinstance(around, ast.With) or len(around.items) != 1:
        draft.block(module, node, RULE.code, "the shield is not the only thing of a with statement", RULE.action)
        return
    draft.claim(node)
    message = "a step in a thread is told of its cancellation at a heartbeat only, so nothing has to be shielded"
    draft.note(module, node, "RM503", "review", message, "Send no heartbeat in this block.")
    draft.act(module, node, lambda emit: emit.file.replace(around, Body(around), code=RULE.code))


def _convert_attribute(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Convert an attribute of an ``activity.Info``, whatever is asked of it in turn."""
    while isinstance(node, (ast.Attribute, ast.Call)) and getattr(node, "attr", "") != name:
        node = node.func if isinstance(node, ast.Call) else node.value
    assert isinstance(node, ast.Attribute), "the chain goes through the attribute"
    if isinstance(node.value, ast.Call):
        return  # activity.info().attempt: the call is converted with what is asked of it
    _claim_chain(draft, module, node)
    _note_scheduled(draft, module, node)
    draft.act(module, node, partial(_rename_attribute, node, INFO[name]))


def _claim_chain(draft: Draft, module: Module, node: ast.expr) -> None:
    """Explain an attribute with everything that is asked of its value in turn."""
    draft.claim(node)
    around = module.parents.get(node)
    while isinstance(around, ast.Attribute) or (isinstance(around, ast.Call) and around.func is node):
        draft.claimed.add(around)
        node, around = around, module.parents.get(around)


def _note_scheduled(draft: Draft, module: Module, node: ast.Attribute) -> None:
    if node.attr == _SCHEDULED:
        message = "the attempt's own start, not the time at which it was scheduled"
        draft.note(module, node, RULE.code, "note", message)


def _is_handed_on(draft: Draft, module: Module, node: ast.Call, parent: ast.AST | None) -> bool:
    """Tell whether the info is an argument for a function of the project that says it wants one."""
    around = module.parents.get(parent) if isinstance(parent, ast.keyword) else parent
    found = draft.project.resolve(module, around.func) if isinstance(around, ast.Call) else None
    definition = found.definition if found is not None else None
    if definition is None or not isinstance(around, ast.Call) or not isinstance(definition.node, FUNCTIONS):
        return False
    arguments = definition.node.args
    for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        if argument_of(definition, around, one.arg) is node:
            wanted = draft.project.annotation(definition.module, one.annotation)
            return wanted is not None and wanted.is_instance_of(f"{_PREFIX}Info")
    return False


def _convert_info(draft: Draft, module: Module, node: ast.Call) -> None:
    parent = module.parents.get(node)
    is_kept = isinstance(parent, ast.Assign) and parent.value is node and isinstance(parent.targets[0], ast.Name)
    if is_kept or _is_handed_on(draft, module, node, parent):
        draft.claim(node)
        draft.act(module, node, lambda emit: emit.file.replace(node, call(emit.core("step_info")), code=RULE.code))
        return
    if not isinstance(parent, ast.Attribute) or parent.attr not in INFO:
        what = (
            f"activity.info().{parent.attr}" if isinstance(parent, ast.Attribute) else "activity.info() kept as a value"
        )
        draft.block(module, node, RULE.code, f"{what} has no counterpart", RULE.action)
        return
    attribute = INFO[parent.attr]
    _claim_chain(draft, module, parent)
    _note_scheduled(draft, module, parent)

    def make(emit: Emit) -> Part:
        return code("{}." + attribute, call(emit.core("step_info")))

    draft.act(module, node, lambda emit: emit.file.replace(parent, make(emit), code=RULE.code))
