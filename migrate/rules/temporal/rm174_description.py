"""RM174: what a description of an execution says."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

RULE: Final = Rule(
    code="RM174",
    title="Status of an execution",
    family="temporal",
    level="review",
    applicability="review",
    what="""`(await handle.describe()).status` becomes `.state`, and `WorkflowExecutionStatus.RUNNING` becomes
"pending", COMPLETED "resolved", FAILED "rejected", TIMED_OUT "rejected_timedout", CANCELED and TERMINATED
"rejected_canceled".""",
    why="An execution is a promise, and its state is the promise's state.",
    action="Look where the state is stored, shown or compared with texts.",
    minutes=10,
)
DESCRIPTION: Final = "temporalio.client.WorkflowExecutionDescription"
STATUS: Final = "temporalio.client.WorkflowExecutionStatus"
#: Members of ``WorkflowExecutionStatus`` with the promise's state.
STATES: Final = {
    "RUNNING": "pending",
    "COMPLETED": "resolved",
    "FAILED": "rejected",
    "TIMED_OUT": "rejected_timedout",
    "CANCELED": "rejected_canceled",
    "TERMINATED": "rejected_canceled",
}
#: Attributes of a description.
ATTRIBUTES: Final = {"status": "state", "workflow_type": "function", "id": "id"}


def convert_attribute(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Convert one attribute that is read of a description."""
    last = name.removeprefix(DESCRIPTION + ".")
    if last not in ATTRIBUTES or not isinstance(node, ast.Attribute):
        draft.block(module, node, RULE.code, f"description.{last} has no counterpart", RULE.action)
        return
    draft.claim(node)
    if ATTRIBUTES[last] != last:
        draft.note(module, node, RULE.code, "review", f"{last} becomes {ATTRIBUTES[last]}", RULE.action)
        draft.act(module, node, partial(_rename, node, ATTRIBUTES[last]))


def _rename(node: ast.Attribute, name: str, emit: Emit) -> None:
    emit.file.replace(node, code("{}." + name, node.value), code=RULE.code)


def convert_status(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Convert one member of the enumeration."""
    last = name.removeprefix(STATUS + ".")
    if last not in STATES:
        draft.block(module, node, RULE.code, f"WorkflowExecutionStatus.{last} has no counterpart", RULE.action)
        return
    draft.claim(node)
    draft.note(module, node, RULE.code, "review", f'{last} becomes "{STATES[last]}"', RULE.action)
    draft.act(module, node, lambda emit: emit.file.replace(node, f'"{STATES[last]}"', code=RULE.code))
