"""RM111: a workflow class with state, handlers, helpers or bases stays a class."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.facts import FUNCTIONS, INIT, RUN, WORKFLOW_DEFN
from migrate.rules.temporal.rm110_workflow_function import durable_part
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Workflow
    from migrate.rules.temporal.place import Work

RULE: Final = Rule(
    code="RM111",
    title="Workflow class that stays a class",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""A class with state, handlers, helper methods or bases keeps its shape: `@durable(name=...)` on the
class, `@entry` on the run method, which takes `ctx` after `self`. `@workflow.init` goes: a constructor with
parameters receives what the entry receives.""",
    why="Handlers and the entry share the state of one object per execution.",
    action="Move what stands in the way out of the workflow class.",
    minutes=20,
)
_HARMLESS: Final = ("typing.final", "typing_extensions.final")
#: Options of ``@workflow.defn`` that change nothing here, with what is said about them.
_DROPPED: Final = {
    "sandboxed": "workflow code runs in the process of the worker, without a sandbox",
    "versioning_behavior": "executions stay on the version of the function that they started with",
    "failure_exception_types": "every error that leaves a durable function ends the execution",
}


def check(draft: Draft, workflow: Workflow) -> None:
    """Say what about the definition cannot be converted."""
    module = workflow.module
    decorator = workflow.decorator
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else []:
        if keyword.arg == "name":
            continue
        if keyword.arg in _DROPPED:
            draft.claim(keyword.value)
            draft.note(module, decorator, "RM506", "note", f"{keyword.arg}= is left out: {_DROPPED[keyword.arg]}")
        else:
            draft.block(
                module,
                decorator,
                RULE.code,
                f"@workflow.defn({keyword.arg}=...) has no counterpart",
                "Give the workflow a fixed name.",
            )
    others = [one for one in workflow.definition.node.decorator_list if one is not decorator]
    for other in others:
        if draft.external(module, other) in _HARMLESS:
            continue
        if gives_back_its_class(draft, module, other):
            message = f"@{ast.unparse(other)} is given a durable class from now on"
            draft.note(module, other, RULE.code, "review", message, "Look at what it reads of the class.")
        else:
            draft.block(
                module,
                other,
                RULE.code,
                f"the workflow class is also decorated with @{ast.unparse(other)}",
                "Remove the decorator, or convert this class by hand.",
            )
    if workflow.definition.parent is not None and isinstance(workflow.definition.parent.node, FUNCTIONS):
        draft.block(
            module,
            workflow.definition.node,
            RULE.code,
            "the workflow class is made inside a function",
            "Move the class to module level.",
        )


def gives_back_its_class(draft: Draft, module: Module, decorator: ast.expr) -> bool:
    """Say whether a decorator of the project is plain to see through: it notes the class and returns it.

    That is a function, or the inner function of one that is called, all of whose returns give back its last parameter,
    which is never assigned.
    """
    found = draft.project.resolve(module, decorator.func if isinstance(decorator, ast.Call) else decorator)
    function = found.definition.node if found is not None and found.definition is not None else None
    if isinstance(decorator, ast.Call):
        inner = [one for one in getattr(function, "body", ()) if isinstance(one, ast.FunctionDef)]
        function = inner[0] if len(inner) == 1 and _returns(function, inner[0].name) else None
    if not isinstance(function, ast.FunctionDef) or not function.args.args:
        return False
    name = function.args.args[-1].arg
    return _returns(function, name) and not any(
        isinstance(one, ast.Name) and one.id == name and not isinstance(one.ctx, ast.Load) for one in ast.walk(function)
    )


def _returns(function: ast.AST | None, name: str) -> bool:
    """Say whether a function returns what a name stands for, and nothing else."""
    own = own_nodes(function) if function is not None else []
    returned = [one.value for one in own if isinstance(one, ast.Return)]
    return bool(returned) and all(isinstance(one, ast.Name) and one.id == name for one in returned)


def convert(work: Work, workflow: Workflow) -> None:
    """Leave the edits of a class that stays a class; its bases get theirs once."""
    draft, module = work.draft, workflow.module
    draft.claim(workflow.decorator)
    workflow.unit.need("helper", RULE.code, workflow.definition.node)
    draft.act(
        module,
        workflow.definition.node,
        lambda emit: emit.file.replace(workflow.decorator, durable_part(emit, workflow), code=RULE.code),
    )


def convert_methods(work: Work, owner: Definition) -> None:
    """Convert the decorators of entry and constructor in one class of a workflow's line."""
    draft, module = work.draft, owner.module
    for method in module.definitions.values():
        if method.parent is not owner or not isinstance(method.node, FUNCTIONS):
            continue
        for node, meaning in draft.project.decorators(method):
            name = meaning.name if meaning is not None and meaning.kind == "external" else ""
            if name == RUN:
                draft.claim(node)
                draft.act(module, node, partial(_mark_entry, node))
            elif name == INIT:
                draft.claim(node)
                draft.act(module, node, partial(_drop, node))


def _mark_entry(node: ast.expr, emit: Emit) -> None:
    emit.file.replace(node, emit.core("entry"), code=RULE.code)


def _drop(node: ast.expr, emit: Emit) -> None:
    emit.file.remove(node, code=RULE.code)


NAMES: Final = (WORKFLOW_DEFN, RUN, INIT)
