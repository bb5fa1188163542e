"""The edits that the engine makes by itself for functions that change their kind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.index.order import in_order
from migrate.plan.fragments import call, code

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.plan.colouring import Delegation
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit

#: Code of the engine's own edits.
COLOUR_CODE: Final = "RM010"


def edit_coloured(job: Job) -> None:
    """Give every coloured function of a converting unit its new kind, and rewrite the calls between them."""
    colouring = job.colouring
    for definition in sorted(colouring.generators | colouring.plain, key=lambda one: one.qualname):
        unit = converting_unit(job, definition)
        if unit is None or definition in job.survey.own_signature:
            continue
        if definition in colouring.generators:
            make_generator(job, definition, unit, COLOUR_CODE)
        else:
            job.file(definition.module, unit).make_sync(definition.node, code=COLOUR_CODE)
    for delegation in colouring.delegations:
        unit = converting_unit(job, delegation.caller)
        if unit is not None:
            _delegate(job, delegation, unit)


def converting_unit(job: Job, definition: Definition) -> Unit | None:
    """Return a unit that converts and that the function works for, or None."""
    units = job.colouring.units.get(definition, set())
    return next((unit for unit in job.survey.units if unit in units and job.converts(unit)), None)


def make_generator(job: Job, definition: Definition, unit: Unit, rule: str) -> None:
    """Give a function the signature of a generator that takes a context."""
    node = definition.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    file = job.file(definition.module, unit)
    if definition.is_async:
        file.make_sync(node, code=rule)
    ctx = job.ctx(definition.module, node)
    context = file.name("resonate_core.Context", typing_only=True)
    file.add_parameter(node, f"{ctx}: {context}", code=rule)
    if node.returns is not None:
        generator = file.name("collections.abc.Generator", typing_only=True)
        anything = file.name("typing.Any", typing_only=True)
        file.set_returns(node, code(f"{generator}[{anything}, {anything}, {{}}]", node.returns), code=rule)


def _delegate(job: Job, delegation: Delegation, unit: Unit) -> None:
    file = job.file(delegation.module, unit)
    node = delegation.call
    if delegation.colour == "plain":
        if delegation.node is not node:
            file.replace(delegation.node, code("{}", node), code=COLOUR_CODE)
        return
    ctx = job.ctx(delegation.module, node)
    arguments = in_order(node.args, node.keywords)
    new = call(node.func, ctx, *arguments)
    if _is_on_class(job, delegation) and arguments:  # ``Base.helper(self, x)``: the context follows the receiver
        new = call(node.func, arguments[0], ctx, *arguments[1:])
    file.replace(delegation.node, code("yield from {}", new), code=COLOUR_CODE)


def _is_on_class(job: Job, delegation: Delegation) -> bool:
    found = job.project.resolve(delegation.module, delegation.call.func)
    receiver = found.receiver if found is not None else None
    parameters = delegation.callee.node.args if not isinstance(delegation.callee.node, ast.ClassDef) else None
    plain = [*parameters.posonlyargs, *parameters.args] if parameters is not None else []
    takes_self = bool(plain) and plain[0].arg == "self"
    return receiver is not None and receiver.kind == "definition" and takes_self
