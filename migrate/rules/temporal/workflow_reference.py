"""How a program names a workflow: ``Order.run``, the class, its registered name, or a variable."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.temporal import rm507_elsewhere

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Facts, Workflow


@dataclass(frozen=True)
class WorkflowReference:
    """A workflow as it is named at one place.

    Attributes:
        node: expression that becomes the first argument: the class of ``Order.run``, else what is there.
        workflow: the workflow, if the project has it.
    """

    node: ast.expr
    workflow: Workflow | None

    def part(self, _emit: Emit) -> Part:
        """Return the new code; the engine renames the class where it becomes a function."""
        return self.node


def read_reference(
    draft: Draft, facts: Facts, module: Module, node: ast.expr, *, by: ast.AST
) -> WorkflowReference | None:
    """Read how a workflow is named, and link it with who names it.

    Args:
        draft: the survey's state.
        facts: what the project has.
        module: file of the place.
        node: how the workflow is named.
        by: place that names it.

    Returns:
        None if it is a variable that may hold anything.
    """
    found = draft.project.resolve(module, node)
    if found is not None and found.kind == "definition" and found.definition is not None:
        return _defined(draft, facts, module, node, found.definition, by=by)
    text = draft.project.string(module, node)
    if text is None:
        return None
    named = facts.workflow_names.get(text, [])
    if not named:
        rm507_elsewhere.note(draft, module, by, "workflow", text)
    for workflow in named:
        draft.link(draft.unit(module, by), workflow.unit)
    return WorkflowReference(node, named[0] if len(named) == 1 else None)


def _defined(
    draft: Draft, facts: Facts, module: Module, node: ast.expr, definition: object, *, by: ast.AST
) -> WorkflowReference | None:
    workflow = facts.workflows.get(definition)  # type: ignore[call-overload]
    inner: ast.expr = node
    if workflow is None and isinstance(node, ast.Attribute):
        owner = draft.project.resolve(module, node.value)
        workflow = facts.workflows.get(owner.definition) if owner is not None and owner.definition is not None else None
        if workflow is not None and workflow.entry is not definition:
            return None
        inner = node.value
    if workflow is None:
        return None
    draft.link(draft.unit(module, by), workflow.unit)
    facts.followed.add(inner)
    return WorkflowReference(inner, workflow)


def follow_values(draft: Draft, facts: Facts) -> None:
    """Let ``Order.run``, where it is kept as a value, become the workflow itself."""
    for workflow in facts.workflows.values():
        for reference in draft.project.references(workflow.entry):
            node = reference.node
            if not isinstance(node, ast.Attribute) or node.value in facts.followed or reference.call is not None:
                continue
            owner = draft.project.resolve(reference.module, node.value)
            if owner is None or owner.kind != "definition" or owner.definition not in facts.workflows:
                continue
            facts.followed.add(node.value)
            draft.link(draft.unit(reference.module, node), workflow.unit)
            draft.note(reference.module, node, _VALUE_CODE, "review", _VALUE_MESSAGE, _VALUE_ACTION)
            draft.act(reference.module, node, partial(_replace_value, node))


def _replace_value(node: ast.Attribute, emit: Emit) -> None:
    emit.file.replace(node, code("{}", node.value), code=_VALUE_CODE)


_VALUE_CODE: Final = "RM171"
_VALUE_MESSAGE: Final = "the run method is kept as a value, which is now the workflow itself"
_VALUE_ACTION: Final = "Make sure that nobody but a start uses the value."
