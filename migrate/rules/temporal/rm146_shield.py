"""RM146: work that a cancellation must not interrupt."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, block, call, code, indented
from migrate.rules.base import Rule
from migrate.rules.temporal.facts import FUNCTIONS

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM146",
    title="Work that is shielded from cancellation",
    family="temporal",
    level="review",
    applicability="review",
    what="""`await asyncio.shield(work)` becomes `with ctx.shielded():` around the yield: a cancellation is
delivered at the first yield after the block.""",
    why="With asyncio the waiting ends at once and the work goes on alone; here the execution waits for it.",
    action="Look whether the workflow should go on before the shielded work is done.",
    minutes=10,
)
SHIELD: Final = "asyncio.shield"
HANDLER: Final = "Wait for the work in a branch of its own, and let the handler decide with the help of a signal."
_CANCELLATIONS: Final = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError"})
_EVERYTHING: Final = frozenset({"builtins.BaseException"})


def convert(place: Place) -> None:
    """Convert one shield that is awaited in a statement of its own."""
    node, statement, awaited = place.call, place.statement, place.awaited
    is_whole = isinstance(statement, (ast.Expr, ast.Assign, ast.Return)) and statement.value is awaited
    inner = node.args[0] if len(node.args) == 1 and not node.keywords else None
    if awaited is None or not is_whole or not isinstance(inner, (ast.Call, ast.Name, ast.Attribute)):
        place.block(RULE.code, "what is shielded is not awaited in a statement of its own", RULE.action)
        return
    if _is_told_of_cancellation(place, statement):
        place.block(RULE.code, "a handler around the shield is told of a cancellation while the work goes on", HANDLER)
        return
    helper = _helper(place, inner) if isinstance(inner, ast.Call) else None
    if helper is None:
        place.work.modes[inner] = "await"
    else:
        place.draft.survey.handled.add(inner)
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.site(awaited)
    place.draft.note(place.module, node, RULE.code, "review", "the execution waits for the shielded work", RULE.action)

    def make(emit: Emit) -> Part:
        ctx = emit.ctx(node)
        if helper is not None and isinstance(inner, ast.Call):
            work: Part = code("yield from {}", call(inner.func, ctx, *inner.args, *inner.keywords))
        else:
            maker = place.work.makers.get(inner)
            work = code("yield {}", maker(emit, False)) if maker is not None else code("yield {}", inner)
        return block(f"with {ctx}.shielded():", indented(_statement(statement, work)))

    place.replace(statement, make, rule=RULE.code)


def _is_told_of_cancellation(place: Place, statement: ast.stmt) -> bool:
    """Whether a handler in the same function would run when the wait for shielded work is cancelled."""
    node: ast.AST = statement
    while not isinstance(node, FUNCTIONS):
        parent = place.module.parents[node]
        if isinstance(parent, ast.Try) and node in parent.body and any(_catches(place, one) for one in parent.handlers):
            return True
        node = parent
    return False


def _catches(place: Place, handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(place.draft.external(place.module, one) in _CANCELLATIONS | _EVERYTHING for one in types)


def _helper(place: Place, node: ast.Call) -> Definition | None:
    """Return the async function of the project that is called."""
    found = place.draft.project.resolve(place.module, node.func)
    definition = found.definition if found is not None else None
    is_async = definition is not None and isinstance(definition.node, FUNCTIONS) and definition.is_async
    return definition if is_async else None


def _statement(statement: ast.stmt, work: Part) -> Part:
    match statement:
        case ast.Assign(targets=[target]):
            return code("{} = {}", target, work)
        case ast.Return():
            return code("return {}", work)
    return code("{}", work)
