"""Passing the context to functions of a workflow that use it and are no generators."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.trees import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Work

CODE: Final = "RM151"
_ACTION: Final = "Read it in the run method and pass it on."


def spread(work: Work, code_functions: Iterable[Definition], roots: set[Definition], closed: set[Definition]) -> None:
    """Find every function that needs the context, and leave the edits.

    Args:
        work: the survey.
        code_functions: functions of workflows.
        roots: functions that the runtime calls, with a context if their first parameter is one.
        closed: functions that the runtime calls without a context: queries, validators.
    """
    draft = work.draft
    functions = list(dict.fromkeys(code_functions))
    _settle(work, functions)
    for function in functions:
        if function in work.needs_ctx and not _is_nested(function):
            _check(work, function, roots, closed)
            draft.act(function.module, function.node, partial(_pass_on, work, function))


def _settle(work: Work, functions: list[Definition]) -> None:
    """A function needs the context if it is nested in, or calls, one that needs it and cannot get it otherwise."""
    changed = True
    while changed:
        changed = False
        for function in functions:
            if function in work.needs_ctx:
                if _is_nested(function) and function.parent not in work.needs_ctx and function.parent is not None:
                    work.needs_ctx.add(function.parent)
                    changed = True
                continue
            if any(site.callee in work.needs_ctx for site in work.draft.project.callees(function)):
                work.needs_ctx.add(function)
                changed = True


def _is_nested(function: Definition) -> bool:
    return function.parent is not None and isinstance(function.parent.node, FUNCTIONS)


def _check(work: Work, function: Definition, roots: set[Definition], closed: set[Definition]) -> None:
    draft, module = work.draft, function.module
    if function.is_async and function not in closed:
        return
    if function in closed:
        draft.block(
            module, function.node, CODE, f"{function.name} asks the workflow about itself, and gets no context", _ACTION
        )
        return
    _check_callers(work, function)
    if function.name == "__init__":
        _check_constructor(work, function)
        return
    decorators = [
        name for _node, meaning in draft.project.decorators(function) if (name := meaning.name if meaning else "")
    ]
    if any("property" in name for name in decorators):
        draft.block(module, function.node, CODE, f"property {function.name} asks the workflow about itself", _ACTION)
        return
    if function in roots:
        return
    for reference in draft.project.references(function):
        if reference.kind in ("name", "member") and reference.call is None:
            draft.block(
                reference.module,
                reference.node,
                CODE,
                f"{function.name} is used as a value, so the context cannot be passed to it",
                _ACTION,
            )


def _check_callers(work: Work, function: Definition) -> None:
    """A caller that is no workflow code has no context to pass on."""
    for site in work.draft.project.callers(function):
        if site.caller is None or site.caller not in work.code:
            message = f"{function.name} asks the workflow about itself, and is called outside of workflows too"
            work.draft.block(site.module, site.node, CODE, message, _ACTION)
            if not site.module.is_test:  # a test holds nothing that it tests
                work.draft.link(
                    work.draft.unit(site.module, site.node), work.draft.unit(function.module, function.node)
                )


def _check_constructor(work: Work, function: Definition) -> None:
    """The runtime knows a constructor that takes the context by the parameter's name; others call it themselves."""
    draft, owner = work.draft, function.parent
    if owner is None or any(owner in workflow.line for workflow in work.facts.workflows.values()):
        if "ctx" in names_in(function.node):
            draft.block(function.module, function.node, CODE, "the constructor uses the name ctx itself", _ACTION)
        return
    for reference in draft.project.references(owner):
        if reference.kind == "name" and reference.call is None:
            message = f"{owner.name} is used as a value, so the context cannot be passed to its constructor"
            draft.block(reference.module, reference.node, CODE, message, _ACTION)


def _pass_on(work: Work, function: Definition, emit: Emit) -> None:
    job = emit.job
    if job.colour(function) == "generator" or function in job.survey.own_signature:
        return
    node = function.node
    assert isinstance(node, FUNCTIONS)
    ctx = job.ctx(function.module, node)
    emit.file.add_parameter(node, f"{ctx}: {emit.core('Context', typing_only=True)}", code=CODE)
    for site in work.draft.project.callers(function):
        if site.caller is not None:
            unit = work.draft.unit(site.module, site.node)
            file = job.file(site.module, unit)
            file.add_argument(site.node, job.ctx(site.module, site.node), code=CODE, where="start")
