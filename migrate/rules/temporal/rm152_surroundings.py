"""RM152: what workflow code asks about its surroundings: sandbox, replay, handlers, what others see of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, code
from migrate.rules.base import Rule
from migrate.rules.temporal.branches import assume_true
from migrate.rules.temporal.trees import next_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM152",
    title="Sandbox, replay, handlers and visibility of a workflow",
    family="temporal",
    level="manual",
    applicability="review",
    what="""`unsafe.is_replaying()` becomes `ctx.info.is_replaying`, `all_handlers_finished` becomes
`ctx.all_handlers_finished`, `in_workflow()` is true where only workflows call, and `with
unsafe.sandbox_unrestricted():` goes. `set_current_details(x)` becomes `yield ctx.set_event("current_details", x)`.
Search attributes and memos that a workflow writes are left out: nothing lists executions by them.""",
    why="Durable functions run without a sandbox, and publish what others may see as events and queries.",
    action="Publish what others read with ctx.set_event(key, value), or answer it in a query.",
    minutes=10,
)
_WORKFLOW: Final = "temporalio.workflow."
ALL_HANDLERS: Final = f"{_WORKFLOW}all_handlers_finished"
SANDBOX: Final = f"{_WORKFLOW}unsafe.sandbox_unrestricted"


def convert(place: Place) -> None:
    """Convert one call or name."""
    _CONVERTERS[place.name](place)


def _replaying(place: Place) -> None:
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.replace(place.node, lambda emit: code("{}.info.is_replaying", emit.ctx(place.node)), rule=RULE.code)


def _in_workflow(place: Place) -> None:
    callers = place.draft.project.callers(place.function)
    if any(site.caller is None or site.caller not in place.work.code for site in callers):
        message = f"{place.function.name} asks whether it runs in a workflow, and others call it too"
        place.block(RULE.code, message, "Write two functions, one for workflow code.")
        return
    place.claim()
    assume_true(place, rule=RULE.code)


def _instance(place: Place) -> None:
    owner = place.function.parent
    arguments = place.function.node.args  # type: ignore[union-attr]
    first = [*arguments.posonlyargs, *arguments.args][:1]
    if not first or not any(owner in workflow.line for workflow in place.work.facts.workflows.values()):
        place.block(RULE.code, "asks for the workflow's object from outside of its class", "Pass the object on.")
        return
    place.claim()
    place.replace(place.node, lambda _emit: first[0].arg, rule=RULE.code)


def _handlers(place: Place) -> None:
    """``all_handlers_finished`` is called, or handed to ``wait_condition`` as the condition."""
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    named = place.node.func if isinstance(place.node, ast.Call) else place.node
    place.replace(named, lambda emit: code("{}.all_handlers_finished", emit.ctx(place.node)), rule=RULE.code)


def _details(place: Place) -> None:
    node = place.call
    statement = place.statement
    is_whole = isinstance(statement, ast.Expr) and statement.value is node
    if len(node.args) != 1 or node.keywords or not is_whole or not place.function.is_async:
        place.block(RULE.code, "the details of the workflow are set where nothing can be awaited", RULE.action)
        return
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.site(node)
    message = "the details become the event 'current_details': another execution or a client reads it with get_event"
    place.draft.note(place.module, node, RULE.code, "note", message)
    text = node.args[0]
    place.replace(
        node, lambda emit: code('yield {}.set_event("current_details", {})', emit.ctx(node), text), rule=RULE.code
    )


def _left_out(place: Place) -> None:
    statement = place.statement
    what = place.name.rpartition(".")[2]
    if not isinstance(statement, ast.Expr) or statement.value is not place.node:
        place.block(RULE.code, f"{what}() is part of a larger expression", RULE.action)
        return
    if any(isinstance(one, (ast.Await, ast.NamedExpr)) for one in ast.walk(statement)):
        place.block(RULE.code, f"{what}() computes something that is used elsewhere", RULE.action)
        return
    place.draft.claim(statement)
    for one in ast.walk(statement):
        if isinstance(one, ast.Call):
            place.work.taken.add(one)
    message = f"{what}() is left out: no list of executions can be searched by it"
    place.draft.note(place.module, place.node, RULE.code, "review", message, RULE.action)
    place.draft.act(place.module, place.node, lambda emit: emit.file.remove(statement, code=RULE.code))
    text = f"{what} is left out; publish with ctx.set_event what others read"
    place.draft.mark(place.module, next_statement(place.module, statement) or place.function.node, RULE.code, text)


def _sandbox(place: Place) -> None:
    item = place.parent
    around = place.module.parents.get(item) if isinstance(item, ast.withitem) else None
    if not isinstance(around, ast.With) or len(around.items) != 1 or around.items[0].optional_vars is not None:
        place.block(RULE.code, "sandbox_unrestricted is not the only thing of a with statement", "Give it its own.")
        return
    place.claim()
    place.replace(around, lambda _emit: Body(around), rule=RULE.code)


_CONVERTERS: Final[Mapping[str, Callable[[Place], None]]] = {
    f"{_WORKFLOW}unsafe.is_replaying": _replaying,
    f"{_WORKFLOW}in_workflow": _in_workflow,
    f"{_WORKFLOW}instance": _instance,
    ALL_HANDLERS: _handlers,
    f"{_WORKFLOW}set_current_details": _details,
    f"{_WORKFLOW}upsert_search_attributes": _left_out,
    f"{_WORKFLOW}upsert_memo": _left_out,
    SANDBOX: _sandbox,
}
NAMES: Final = tuple(_CONVERTERS)
