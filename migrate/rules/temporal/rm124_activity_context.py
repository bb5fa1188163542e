"""RM124: what a running activity asks and says: heartbeat, info, logger."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call, code
from migrate.rules.base import Rule

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
`activity.info()` attempt, workflow id, activity type and heartbeat details become attributes of `step_info()`.""",
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
}


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
    elif last == "info" and isinstance(node, ast.Call):
        _convert_info(draft, module, node)
    elif last.startswith("Info.") and last.removeprefix("Info.") in INFO and isinstance(node, ast.Attribute):
        draft.claim(node)
        attribute = INFO[last.removeprefix("Info.")]
        draft.act(module, node, partial(_rename_attribute, node, attribute))
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


def _convert_info(draft: Draft, module: Module, node: ast.Call) -> None:
    parent = module.parents.get(node)
    if isinstance(parent, ast.Assign) and parent.value is node and isinstance(parent.targets[0], ast.Name):
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
    draft.claim(parent)

    def make(emit: Emit) -> Part:
        return code("{}." + attribute, call(emit.core("step_info")))

    draft.act(module, node, lambda emit: emit.file.replace(parent, make(emit), code=RULE.code))
