"""Names of the SDK outside workflow code: activities, clients, workers, annotations, constants."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, code
from migrate.rules.temporal import (
    rm101_passed_through_imports,
    rm122_activity_options,
    rm124_activity_context,
    rm125_errors,
    rm170_worker,
    rm171_client,
    rm172_handle,
    rm173_failures,
    rm174_description,
    rm180_activity_environment,
)
from migrate.rules.temporal.backoff import RETRY_POLICY, backoff_part, read_policy

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Facts

_ACTIVITY: Final = "temporalio.activity."
_ERRORS: Final = "temporalio.exceptions."
#: Classes in annotations, with their counterparts.
ANNOTATIONS: Final = {
    "temporalio.client.Client": "Resonate",
    "temporalio.client.WorkflowHandle": "Handle",
    "temporalio.worker.Worker": "Resonate",
    "temporalio.workflow.ActivityHandle": "Promise",
    "temporalio.workflow.ChildWorkflowHandle": "Promise",
    RETRY_POLICY: "Backoff",
    "temporalio.activity.Info": "StepInfo",
}
_CONFIGS: Final = ("temporalio.workflow.ActivityConfig", "temporalio.workflow.LocalActivityConfig")


def convert_call(draft: Draft, facts: Facts, module: Module, node: ast.Call, name: str) -> None:
    """Convert one call, if a rule knows it; what is left is reported later."""
    owner, _, last = name.rpartition(".")
    if name == rm101_passed_through_imports.NAME:
        rm101_passed_through_imports.convert(draft, module, node)
    elif name == rm180_activity_environment.ENVIRONMENT:
        rm180_activity_environment.drop(draft, module, node)
    elif name.startswith(_ACTIVITY) and last != "defn":
        rm124_activity_context.convert(draft, module, node, name)
    elif name.startswith(_ERRORS) and last in rm125_errors.RENAMED:
        rm125_errors.convert(draft, module, node, name)
    elif name == rm125_errors.IS_CANCELLED:
        rm125_errors.convert_check(draft, module, node)
    elif _convert_wiring(draft, facts, module, node, name):
        draft.claim(node.func)
    elif owner == rm171_client.CLIENT:
        message = f"client.{last}(...) has no counterpart"
        draft.block(module, node, rm171_client.RULE.code, message, rm171_client.RULE.action)


def _convert_wiring(draft: Draft, facts: Facts, module: Module, node: ast.Call, name: str) -> bool:
    """Convert a call of a client, handle or worker; say whether it is one."""
    owner = name.rpartition(".")[0]
    if name == rm171_client.CONNECT:
        rm171_client.convert_connect(draft, module, node)
    elif name in rm171_client.STARTS:
        rm171_client.convert_start(draft, facts, module, node, verb=rm171_client.STARTS[name])
    elif name in rm171_client.GETS:
        rm171_client.convert_get(draft, facts, module, node, index=rm171_client.GETS[name])
    elif name == rm170_worker.WORKER:
        rm170_worker.convert(draft, facts, module, node)
    elif owner == rm170_worker.WORKER:
        rm170_worker.convert_method(draft, module, node, name)
    elif owner == rm172_handle.HANDLE:
        rm172_handle.convert_call(draft, module, node, name)
    elif name == RETRY_POLICY:
        convert_policy(draft, module, node)
    elif name == f"{rm180_activity_environment.ENVIRONMENT}.run":
        rm180_activity_environment.convert(draft, module, node)
    else:
        return False
    return True


def convert_policy(draft: Draft, module: Module, node: ast.Call) -> None:
    """Convert a ``RetryPolicy`` that is kept in a constant or variable."""
    if node in draft.claimed:
        return
    policy = read_policy(node)
    if policy is None:
        draft.block(
            module,
            node,
            rm122_activity_options.RULE.code,
            "the retry policy is put together at run time",
            "Spell the policy out as keyword arguments of RetryPolicy.",
        )
        return

    def make(emit: Emit) -> Part:
        if policy.is_single:
            return f"{emit.core('Never')}()"
        return backoff_part(policy, emit.core("Backoff"), draft.resolver(module))

    draft.claim(node.func)
    draft.act(module, node, lambda emit: emit.file.replace(node, make(emit), code=rm122_activity_options.RULE.code))


def convert_name(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Convert a name that is not called, if a rule knows it."""
    if name in ANNOTATIONS:
        _annotation(draft, module, node, name)
    elif name.startswith(rm174_description.DESCRIPTION + "."):
        rm174_description.convert_attribute(draft, module, node, name)
    elif name.startswith(rm174_description.STATUS + "."):
        rm174_description.convert_status(draft, module, node, name)
    elif name == rm173_failures.FAILURE:
        rm173_failures.convert(draft, module, node)
    elif name in _CONFIGS:
        _config(draft, module, node)
    elif name.startswith(_ACTIVITY) and not name.endswith(".defn"):
        rm124_activity_context.convert(draft, module, node, name)
    elif name.startswith(_ERRORS) and name.rpartition(".")[2] in (*rm125_errors.RENAMED, "TimeoutError"):
        rm125_errors.convert(draft, module, node, name)
    elif name.startswith(rm172_handle.HANDLE + "."):
        draft.claim(node)
        rm172_handle.convert_attribute(draft, module, node, name)


def _annotation(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    parent = module.parents.get(node)
    if isinstance(parent, (ast.Call, ast.Attribute)) and not isinstance(parent, ast.keyword):
        return
    whole = parent if isinstance(parent, ast.Subscript) and parent.value is node else node
    draft.claim(whole)
    result = _result_of_handle(whole) if name == rm172_handle.HANDLE else None

    def make(emit: Emit) -> Part:
        local = emit.core(ANNOTATIONS[name])
        return code(f"{local}[{{}}]", result) if result is not None else local

    draft.act(module, node, lambda emit: emit.file.replace(whole, make(emit), code=rm171_client.RULE.code))


def annotate(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Put a class of the runtime, without parameters, in the place of an annotation."""
    parent = module.parents.get(node)
    whole = parent if isinstance(parent, ast.Subscript) and parent.value is node else node
    draft.act(module, node, lambda emit: emit.file.replace(whole, emit.core(name), code=rm171_client.RULE.code))


def _result_of_handle(node: ast.expr) -> ast.expr | None:
    """Return the second parameter of ``WorkflowHandle[Order, str]``."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) > 1:
        return node.slice.elts[1]
    return None


def _config(draft: Draft, module: Module, node: ast.expr) -> None:
    draft.claim(node)

    def make(emit: Emit) -> Part:
        return f"dict[str, {emit.file.name('typing.Any', typing_only=True)}]"

    draft.act(module, node, lambda emit: emit.file.replace(node, make(emit), code=rm122_activity_options.RULE.code))


def drop_unused_clients(draft: Draft) -> None:
    """Remove ``client = await Client.connect(...)`` where only workers took the client."""
    for module, node in draft.project.calls_of(rm171_client.CONNECT):
        awaited = module.parents.get(node)
        statement = module.parents.get(awaited) if isinstance(awaited, ast.Await) else None
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is awaited:
                _drop_if_unused(draft, module, statement, name)


def _drop_if_unused(draft: Draft, module: Module, statement: ast.stmt, name: str) -> None:
    function = module.function_around(statement)
    if function is None:
        return
    loads = [
        one for one in ast.walk(function.node)
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load)
    ]  # fmt: skip
    if loads and all(_is_workers(draft, module, one) for one in loads):
        draft.act(module, statement, lambda emit: emit.file.remove(statement, code=rm170_worker.RULE.code))


def _is_workers(draft: Draft, module: Module, node: ast.Name) -> bool:
    parent = module.parents.get(node)
    if isinstance(parent, ast.keyword):
        parent = module.parents.get(parent)
    return (
        isinstance(parent, ast.Call)
        and parent.func is not node
        and draft.external(module, parent.func) == rm170_worker.WORKER
    )
