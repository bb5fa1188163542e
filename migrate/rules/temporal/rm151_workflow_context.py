"""RM151: what workflow code asks about itself: time, ids, random numbers, logger, info."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.temporal import own_info
from migrate.rules.temporal.queues import is_own_queue

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.place import Place, Work

RULE: Final = Rule(
    code="RM151",
    title="Time, ids, random numbers, logger and info of a workflow",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`workflow.now()`, `uuid4()`, `random()`, `logger` and `info().workflow_id` become `ctx.now()`,
`ctx.uuid4()`, `ctx.rng`, `ctx.logger` and `ctx.id`. They are plain calls: no promise, the same values on every
replay. `info().run_id` becomes `ctx.info.run_id`, `is_continue_as_new_suggested()` the attribute of `ctx.info`. A
constructor that asks takes `ctx` first.""",
    why="What a workflow knows about itself comes from its context.",
    action="Pass what the workflow needs as an argument, or take it from ctx.info.",
    minutes=10,
)
_PREFIX: Final = "temporalio.workflow."
#: Called names, with what the whole call becomes.
CALLS: Final = {
    "now": "{ctx}.now()",
    "time": "{ctx}.now().timestamp()",
    "time_ns": "int({ctx}.now().timestamp() * 1_000_000_000)",
    "uuid4": "{ctx}.uuid4()",
    "random": "{ctx}.rng",
}
#: What the logger of workflows may be told to add to its messages.
SETTINGS: Final = tuple(
    f"{_PREFIX}logger.{name}"
    for name in ("workflow_info_on_message", "workflow_info_on_extra", "full_workflow_info_on_extra")
)
_HELPERS: Final = frozenset({"now", "time", "time_ns", "uuid4", "random"})


def convert(place: Place) -> None:
    """Convert one of the names."""
    last = place.name.removeprefix(_PREFIX).split(".")[0]
    if last in CALLS and isinstance(place.node, ast.Call) and not place.node.args:
        if last in _HELPERS:
            place.helper(RULE.code)
        _put(place, place.node, CALLS[last])
    elif last == "logger":
        place.claim()
        _put(place, _logger_node(place), "{ctx}.logger")
    elif last == "info" and isinstance(place.node, ast.Call):
        _convert_info(place)
    else:
        place.block(RULE.code, f"{place.name} is used as a value", RULE.action)


def _put(place: Place, node: ast.expr, template: str) -> None:
    place.use_ctx()
    place.draft.claim(node)
    place.replace(node, lambda emit: code(template, ctx=emit.ctx(place.node)), rule=RULE.code)


def convert_module_loggers(work: Work) -> None:
    """Convert ``logger = workflow.logger`` of a module, if only workflow code uses the name there."""
    draft = work.draft
    for module in draft.project.modules.values():
        for statement in module.tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if (
                    draft.external(module, value) == _PREFIX + "logger"
                ):
                    _convert_module_logger(work, module, statement, name)


def _convert_module_logger(work: Work, module: Module, statement: ast.Assign, name: str) -> None:
    uses = [one for one in ast.walk(module.tree) if isinstance(one, ast.Name) and one.id == name]
    uses = [one for one in uses if isinstance(one.ctx, ast.Load)]
    places = [(one, module.function_around(one)) for one in uses]
    others = work.draft.project.modules.values()
    is_imported = any(entry.target == f"{module.name}.{name}" for other in others for entry in other.imports)
    is_only = len(module.scope.bindings.get(name, [])) == 1
    if is_imported or not is_only or any(function not in work.code for _use, function in places):
        return  # the leftovers name it
    work.draft.claim(statement.value)
    work.draft.act(module, statement, lambda emit: emit.file.remove(statement, code=RULE.code))
    unit = work.draft.unit(module, statement)
    for use, function in places:
        assert function is not None, "workflow code is a function"
        work.needs_ctx.add(function)
        work.draft.link(unit, work.draft.unit(module, use))
        work.draft.act(module, use, partial(_from_context, use))


def drop_setting(draft: Draft, module: Module, node: ast.expr) -> bool:
    """Take out ``workflow.logger.workflow_info_on_message = False``; say whether it was such a statement."""
    statement = module.parents.get(node)
    if not isinstance(statement, ast.Assign) or statement.targets != [node]:
        return False
    draft.claim(node)
    message = "what the logger adds to messages has no counterpart: it goes to the record's own fields"
    draft.note(module, node, "RM512", "note", message)
    draft.act(module, node, lambda emit: emit.file.remove(statement, code=RULE.code))
    return True


def _from_context(node: ast.expr, emit: Emit) -> None:
    emit.file.replace(node, f"{emit.ctx(node)}.logger", code=RULE.code)


def _logger_node(place: Place) -> ast.expr:
    """Return ``workflow.logger`` of ``workflow.logger.info``."""
    node: ast.expr = place.node
    while place.draft.external(place.module, node) != _PREFIX + "logger":
        inner = node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
        assert isinstance(inner, ast.expr), "a chain that starts at the logger ends at the logger"
        node = inner
    return node


def _convert_info(place: Place) -> None:
    parent = place.parent
    if is_own_queue(place, parent):
        place.draft.claim(parent)
        return
    told = own_info.told_by(place, parent) if isinstance(parent, ast.Attribute) else None
    if told is not None:
        _put_info(place, *told)
        return
    if isinstance(parent, ast.Assign) and _convert_kept_info(place, parent):
        return
    what = f"workflow.info().{parent.attr}" if isinstance(parent, ast.Attribute) else "workflow.info() kept as a value"
    place.block(RULE.code, f"{what} has no counterpart", RULE.action)


def _put_info(place: Place, node: ast.expr, told: own_info.Told) -> None:
    place.use_ctx()
    place.draft.claim(node)
    own_info.note(place, node, told)
    place.replace(node, lambda emit: own_info.part_of(place, emit, told), rule=RULE.code)


def _convert_kept_info(place: Place, statement: ast.Assign) -> bool:
    """Take out ``info = workflow.info()`` if all that is read of it has a counterpart."""
    function = place.function.node
    match statement.targets:
        case [ast.Name(id=name)]:
            reads = [one for one in ast.walk(function) if isinstance(one, ast.Name) and one.id == name]
        case _:
            return False
    loads = [place.module.parents[one] for one in reads if isinstance(one.ctx, ast.Load)]
    found = [told for one in loads if (told := own_info.told_by(place, one)) is not None]  # type: ignore[arg-type]
    if len(found) != len(loads) or len(reads) - len(loads) != 1:
        return False
    place.claim()
    place.draft.act(place.module, place.node, lambda emit: emit.file.remove(statement, code=RULE.code))
    for node, one in found:
        _put_info(place, node, one)
    return True
