"""Task queues: what Temporal calls a task queue is the group of the workers that poll it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.index.literals import elements
from migrate.plan.fragments import Part, code

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
    from migrate.index.project import Project
    from migrate.rules.temporal.place import Place

_ANY_OF: Final = "poll://any@"


def target_part(queue: ast.expr) -> Part:
    """Return the address of any worker of a group."""
    if isinstance(queue, ast.Constant) and isinstance(queue.value, str):
        return f'"{_ANY_OF}{queue.value}"'
    return code('f"' + _ANY_OF + '{{{}}}"', queue)


def queue_key(project: Project, module: Module, queue: ast.expr | None) -> str | None:
    """Return the name of a task queue, if it is plain to see."""
    return project.string(module, queue) if queue is not None else None


def find_queues(project: Project) -> dict[Definition, set[str | None]]:
    """Return, by workflow class, the task queues of the workers that have it; None stands for an unknown one."""
    found: dict[Definition, set[str | None]] = {}
    for module, node in project.calls_of("temporalio.worker.Worker"):
        said = {keyword.arg: keyword.value for keyword in node.keywords}
        queue = queue_key(project, module, said.get("task_queue"))
        for place, one in elements(project, module, said.get("workflows")):
            meaning = project.resolve(place, one)
            if meaning is not None and meaning.definition is not None:
                found.setdefault(meaning.definition, set()).add(queue)
    return found


def is_own_queue(place: Place, node: ast.AST | None) -> bool:
    """Tell whether an expression is ``workflow.info().task_queue``, as what ``task_queue=`` says."""
    match node:
        case ast.Attribute(attr="task_queue", value=ast.Call(func=function)):
            parent = place.module.parents.get(node)
            is_option = isinstance(parent, ast.keyword) and parent.arg == "task_queue"
            return is_option and place.draft.external(place.module, function) == "temporalio.workflow.info"
    return False


def other_queue(place: Place, queue: ast.expr | None) -> ast.expr | None:
    """Return what ``task_queue=`` says, unless it is the queue that the workflow itself runs on."""
    if queue is None or (isinstance(queue, ast.Constant) and queue.value is None):
        return None
    if is_own_queue(place, queue):
        return None
    key = queue_key(place.draft.project, place.module, queue)
    workflows = [one for one in place.work.facts.workflows.values() if place.function.parent in one.line]
    own = {known for one in workflows for known in place.work.queues.get(one.definition, {None})}
    return None if key is not None and own == {key} else queue
