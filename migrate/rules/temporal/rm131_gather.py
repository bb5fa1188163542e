"""RM131: ``asyncio.gather`` becomes begins and yields, or ``ctx.gather``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, block, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.coroutines import called, gives_command, is_in_gather
from migrate.rules.temporal.lowering import element_part, loop_template
from migrate.rules.temporal.trees import COMPREHENSIONS, free_name, is_inside, loop_names_are_free

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM131",
    title="Fan-out with asyncio.gather",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`await asyncio.gather(*[workflow.execute_activity(scan, f) for f in files])` becomes a loop that begins
every call and a loop that yields every promise. Where errors are handled around it, with `return_exceptions`, over
helpers of the workflow or over a list that was put together before, it becomes `yield ctx.gather(...)`.""",
    why="A generator waits for one thing at a time; what is begun runs side by side.",
    action="Hand durable calls, helpers of the project or started handles to gather.",
    minutes=15,
)
GATHER: Final = "asyncio.gather"
_DURABLE_PREFIXES: Final = ("temporalio.workflow.execute_", "temporalio.workflow.start_")
#: From here on one call of gather reads better than a line for each promise.
_NAMES_MAX: Final = 4
_STARTS_CHILD: Final = "temporalio.workflow.start_child_workflow"


def convert(place: Place) -> None:
    """Convert one ``gather`` that is awaited."""
    node = place.call
    if place.awaited is None:
        place.block(RULE.code, "gather is not awaited at once", RULE.action)
        return
    if any(keyword.arg != "return_exceptions" for keyword in node.keywords):
        place.block(RULE.code, "gather takes arguments that are put together at run time", RULE.action)
        return
    if any(_starts_child(place, one) for arg in node.args for one in _elements(arg)):
        _gather_starts(place)
        return
    for arg in node.args:
        for one in _elements(arg):
            if not isinstance(arg, ast.Starred) or one is not arg.value:  # what unpacks a list is no part of it
                place.work.modes[one] = "begin"
    place.use_ctx()
    place.claim()
    if node in place.work.gather_limits or not (_plain(place) or _plain_names(place)):
        _with_gather(place)


def _elements(arg: ast.expr) -> list[ast.expr]:
    inner = arg.value if isinstance(arg, ast.Starred) else arg
    if isinstance(inner, (ast.ListComp, ast.GeneratorExp)):
        return [inner.elt]
    if isinstance(inner, (ast.List, ast.Tuple)):
        return inner.elts
    return [inner]


def _starts_child(place: Place, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and place.draft.external(place.module, node.func) == _STARTS_CHILD


def _is_single_call(place: Place, node: ast.expr) -> bool:
    """Say whether one element is a call of an activity or child: something that may be begun and yielded plainly."""
    return isinstance(node, ast.Call) and place.draft.external(place.module, node.func).startswith(_DURABLE_PREFIXES)


def _comprehension(place: Place) -> ast.ListComp | ast.GeneratorExp | None:
    args = place.call.args
    if (
        len(args) == 1
        and isinstance(args[0], ast.Starred)
        and isinstance(args[0].value, (ast.ListComp, ast.GeneratorExp))
    ):
        inner = args[0].value
        if len(inner.generators) == 1 and not inner.generators[0].is_async:
            return inner
    return None


def _plain(place: Place) -> bool:
    """Write a fan-out over a list as two loops, where that says the same."""
    inner = _comprehension(place)
    function, statement = place.function.node, place.statement
    if inner is None or place.call.keywords or not _is_single_call(place, inner.elt):
        return False
    if is_inside(place.module, place.node, (ast.Try, *COMPREHENSIONS, ast.Lambda), function) is not None:
        return False
    if not loop_names_are_free(place.module, function, [inner.generators[0].target], statement):
        return False
    shape = _shape(place, statement)
    if shape is None:
        return False
    head, name, tail = shape
    promises = free_name(function, "promises", "pending", "begun")
    one = free_name(function, "p", "promise", "one")
    place.work.lowered.add(inner)
    place.site(place.awaited)  # type: ignore[arg-type]
    wait = f"for {one} in {promises}:\n    " + (f"{name}.append((yield {one}))" if name else f"yield {one}")

    def make(emit: Emit) -> Part:
        element = code("yield {}", element_part(place.work, emit, inner.elt, begin=True))
        begin = loop_template(f"{promises} = []", promises, inner, element)
        return block(begin, *([head] if head is not None else []), wait, *([tail] if tail else []))

    place.replace(statement, make, rule=RULE.code)
    return True


def _plain_names(place: Place) -> bool:
    """Write ``a, b = await gather(f(), g())`` as begins and yields of these names, where that says the same."""
    node, statement, function = place.call, place.statement, place.function.node
    if node.keywords or not all(_is_single_call(place, one) for one in node.args) or len(node.args) > _NAMES_MAX:
        return False
    if is_inside(place.module, place.node, (ast.Try, *COMPREHENSIONS, ast.Lambda), function) is not None:
        return False
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value) if value is place.awaited:
            names = [one.id for one in targets if isinstance(one, ast.Name)]
        case _:
            return False
    if len(names) != len(node.args) or len(targets) != len(names) or len(set(names)) != len(names) or "_" in names:
        return False
    begun = [free_name(function, f"{name}_promise") for name in names]
    assert place.awaited is not None
    place.site(place.awaited)

    def make(emit: Emit) -> Part:
        lines: list[Part] = [
            code("{} = yield {}", promise, element_part(place.work, emit, arg, begin=True))
            for promise, arg in zip(begun, node.args, strict=True)
        ]
        lines += [f"{name} = yield {promise}" for name, promise in zip(names, begun, strict=True)]
        return block(*lines)

    place.replace(statement, make, rule=RULE.code)
    return True


def _shape(place: Place, statement: ast.stmt) -> tuple[Part | None, str | None, str | None] | None:
    """Return (statement that makes the list, its name, what follows) for the statement around the gather."""
    awaited = place.awaited
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is awaited:
            return f"{name} = []", name, None
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if value is awaited:
            return code("{}: {} = []", name, annotation), name, None
        case ast.Expr(value=value) if value is awaited:
            return None, None, None
        case ast.Return(value=value) if value is awaited:
            results = free_name(place.function.node, "results", "values")
            return f"{results} = []", results, f"return {results}"
    return None


def _with_gather(place: Place) -> None:
    place.helper(RULE.code)
    awaited = place.awaited
    assert awaited is not None
    place.site(awaited)
    node = place.call
    errors = next((keyword.value for keyword in node.keywords if keyword.arg == "return_exceptions"), None)

    def make(emit: Emit) -> Part:
        said = [] if errors is None else [Named("return_exceptions", errors)]
        limit = place.work.gather_limits.get(node)
        said += [] if limit is None else [Named("limit", limit)]
        return code("yield {}", call(f"{emit.ctx(place.node)}.gather", *node.args, *said))

    place.replace(awaited, make, rule=RULE.code)


def _gather_starts(place: Place) -> None:
    """``await gather(*[start_child_workflow(...) for ...])`` gives handles: a list of promises."""
    inner = _comprehension(place)
    statement, awaited = place.statement, place.awaited
    if inner is None or place.call.keywords or not isinstance(statement, ast.Assign) or statement.value is not awaited:
        place.block(
            RULE.code, "children are started inside gather", "Start them in a loop and keep their handles in a list."
        )
        return
    target = statement.targets[0]
    if not isinstance(target, ast.Name) or not loop_names_are_free(
        place.module, place.function.node, [inner.generators[0].target], statement
    ):
        place.block(
            RULE.code, "children are started inside gather", "Start them in a loop and keep their handles in a list."
        )
        return
    name = target.id
    place.work.modes[inner.elt] = "begin"
    place.work.lowered.add(inner)
    place.use_ctx()
    place.claim()
    assert awaited is not None
    place.site(awaited)

    def make(emit: Emit) -> Part:
        element = code("yield {}", element_part(place.work, emit, inner.elt, begin=True))
        return loop_template(f"{name} = []", name, inner, element)

    place.replace(statement, make, rule=RULE.code)


def refuse(place: Place) -> None:
    """Say that an element of gather, or a task, is nothing that the runtime can begin."""
    found = called(place.draft, place.module, place.node)
    if found is not None and found.is_async:
        message = f"{found.name} makes no durable call, so there is nothing to run side by side"
        place.block(RULE.code, message, "Call it in order, or make its work an activity.")
    elif found is None or not gives_command(place.work, found):
        what = place.name or ast.unparse(place.call.func)
        place.block(RULE.code, f"{what} is no durable call", RULE.action)
    elif not is_in_gather(place):
        message = f"{found.name} gives a coroutine that is begun here and awaited elsewhere"
        place.block(RULE.code, message, "Make the coroutine where the task is created.")
