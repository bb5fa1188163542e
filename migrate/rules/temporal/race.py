"""``wait``: for the first of several, or for all of them, in the shapes that say plainly what they want."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, block, call, code, indented
from migrate.rules.temporal.coroutines import are_begun, elements_of
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.trees import free_name

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

WAITS: Final = ("temporalio.workflow.wait", "asyncio.wait")
_SLEEPS: Final = ("temporalio.workflow.sleep", "asyncio.sleep")
_TASKS: Final = ("asyncio.create_task", "asyncio.ensure_future")
_CONDITION: Final = "temporalio.workflow.wait_condition"
_ALL: Final = "ALL_COMPLETED"


def convert(place: Place, *, rule: str, action: str) -> None:
    """Convert ``await workflow.wait(...)`` for the first of several, or for all of them."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords}
    several = node.args[0] if len(node.args) == 1 else None
    when = place.draft.external(place.module, said["return_when"]).rpartition(".")[2] if "return_when" in said else _ALL
    known = place.awaited is not None and several is not None and set(said) <= {"return_when", "timeout"}
    done = False
    if known and when == "FIRST_COMPLETED":
        done = _first(place, several, said.get("timeout"), rule)  # type: ignore[arg-type]
    elif known and when == _ALL and "timeout" not in said:
        done = _all(place, several, rule)  # type: ignore[arg-type]
    if not done:
        place.block(rule, f"{place.name} in workflow code has no counterpart that is plain to see", action)


def _first(place: Place, several: ast.expr, limit: ast.expr | None, rule: str) -> bool:
    if isinstance(several, ast.Name):
        return _first_of_list(place, several, limit, rule)
    if limit is not None or not isinstance(several, (ast.List, ast.Tuple, ast.Set)):
        return False
    if _condition_or_time(place, several.elts, rule) or _handles(place, several.elts, rule):
        return True
    return are_begun(place.work, place.module, several.elts) and _first_of_display(place, several.elts, rule)


def _first_of_display(place: Place, several: list[ast.expr], rule: str) -> bool:
    """Tasks that are made for the wait: they are kept in a list, which the rest goes on with."""
    names = _targets(place)
    if names is None or len(several) < 2:
        return False
    _claim(place, rule)
    _note_first(place, rule)
    index = free_name(place.function.node, "index", "first_index")
    begun = free_name(place.function.node, "begun", "racing")

    def make(emit: Emit) -> Part:
        made = code(f"{begun} = [" + ", ".join("{}" for _ in several) + "]", *several)
        wait = code(f"{index}, _ = yield {{}}", call(f"{emit.ctx(place.node)}.select", f"*{begun}"))
        parts = f"{begun}[{index} : {index} + 1], {begun}[:{index}] + {begun}[{index} + 1 :]"
        return block(made, wait, f"{names[0]}, {names[1]} = {parts}")

    place.replace(place.statement, make, rule=rule)
    return True


def _targets(place: Place) -> tuple[str, str] | None:
    """Return the names in ``done, pending = await wait(...)``."""
    match place.statement:
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=done), ast.Name(id=rest)])], value=value) if (
            value is place.awaited
        ):
            return done, rest
    return None


def _first_of_list(place: Place, several: ast.Name, limit: ast.expr | None, rule: str) -> bool:
    """``done, pending = await wait(tasks, ...)``: the one that came first, and the rest of the list."""
    names = _targets(place)
    elements = elements_of(place.function, several)
    if names is None or not elements or not are_begun(place.work, place.module, elements):
        return False
    _claim(place, rule)
    index = free_name(place.function.node, "index", "first_index")
    tasks, statement = several.id, place.statement
    _note_first(place, rule)

    def make(emit: Emit) -> Part:
        ctx = emit.ctx(place.node)
        timer: list[Part] = []
        if limit is not None:
            seconds = seconds_part(limit, place.draft.resolver(place.module))
            timer = [code("yield {}", call(f"{ctx}.begin_sleep", seconds))]
        wait = code(f"{index}, _ = yield {{}}", call(f"{ctx}.select", f"*{tasks}", *timer))
        parts = f"{tasks}[{index} : {index} + 1], {tasks}[:{index}] + {tasks}[{index} + 1 :]"
        return block(wait, f"{names[0]}, {names[1]} = {parts}")

    place.replace(statement, make, rule=rule)
    return True


def _all(place: Place, several: ast.expr, rule: str) -> bool:
    """``await wait(tasks)``: all of them, whether they fail or not."""
    statement = place.statement
    names = _targets(place)
    is_dropped = isinstance(statement, ast.Expr) and statement.value is place.awaited
    items = _items(place, several)
    if items is None or not (is_dropped or (names is not None and isinstance(several, ast.Name))):
        return False
    _claim(place, rule)

    def make(emit: Emit) -> Part:
        options = [Named("return_exceptions", "True")]
        wait = code("yield {}", call(f"{emit.ctx(place.node)}.gather", *items, *options))
        if names is None or not isinstance(several, ast.Name):
            return block(wait)
        return block(wait, f"{names[0]}, {names[1]} = {several.id}, []")

    place.replace(statement, make, rule=rule)
    return True


def _items(place: Place, several: ast.expr) -> list[Part] | None:
    """Return what to gather, if all of it has begun."""
    if isinstance(several, ast.Name):
        elements = elements_of(place.function, several)
        return [f"*{several.id}"] if elements and are_begun(place.work, place.module, elements) else None
    if isinstance(several, (ast.List, ast.Tuple, ast.Set)) and all(isinstance(one, ast.Name) for one in several.elts):
        return list(several.elts)
    return None


def _claim(place: Place, rule: str) -> None:
    place.helper(rule)
    place.use_ctx()
    place.claim()
    assert place.awaited is not None
    place.site(place.awaited)
    for keyword in place.call.keywords:
        place.draft.claim(keyword.value)


def _note_first(place: Place, rule: str) -> None:
    message = "one at a time is done here, and its error is raised at once; asyncio.wait would have kept it"
    place.draft.note(place.module, place.node, rule, "review", message, "Look what happens when the first one fails.")


def _coroutine(place: Place, node: ast.expr) -> ast.expr:
    """Look into ``asyncio.create_task(...)``."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and place.draft.external(place.module, node.func) in _TASKS:
        return node.args[0]
    return node


def _calls(place: Place, node: ast.expr, *names: str) -> ast.Call | None:
    return node if isinstance(node, ast.Call) and place.draft.external(place.module, node.func) in names else None


def _condition_or_time(place: Place, several: list[ast.expr], rule: str) -> bool:
    """A sleep against a condition, and nobody asks which came first: a wait with a limit."""
    inner = [_coroutine(place, one) for one in several]
    sleeps = [found for one in inner if (found := _calls(place, one, *_SLEEPS)) is not None]
    conditions = [found for one in inner if (found := _calls(place, one, _CONDITION)) is not None]
    statement = place.statement
    is_plain = isinstance(statement, ast.Expr) and statement.value is place.awaited
    if len(inner) != 2 or len(sleeps) != 1 or len(conditions) != 1 or not is_plain:
        return False
    if len(sleeps[0].args) != 1 or len(conditions[0].args) != 1 or conditions[0].keywords:
        return False
    duration, condition = sleeps[0].args[0], conditions[0].args[0]
    place.helper(rule)
    place.use_ctx()
    for one in several:
        place.draft.claim(*[part for part in ast.walk(one) if part is not condition])
        for part in ast.walk(one):
            if isinstance(part, ast.Call) and part is not condition:
                place.work.taken.add(part)
    place.claim()
    assert place.awaited is not None
    place.site(place.awaited)

    def make(emit: Emit) -> Part:
        limit = seconds_part(duration, place.draft.resolver(place.module))
        wait = call(f"{emit.ctx(place.node)}.wait_until", condition, timeout=limit)
        return block("try:", indented(code("yield {}", wait)), "except TimeoutError:", indented("pass"))

    place.replace(statement, make, rule=rule)
    return True


def _handles(place: Place, several: list[ast.expr], rule: str) -> bool:
    """``done, _ = await wait([a, b], ...)``: the set of the one that came first, and those that did not."""
    targets = _targets(place)
    names = [one.id for one in several if isinstance(one, ast.Name)]
    if targets is None or len(names) != len(several) or len(names) < 2:
        return False
    done, rest = targets
    is_read = any(
        isinstance(one, ast.Name) and one.id == rest and isinstance(one.ctx, ast.Load)
        for one in ast.walk(place.function.node)
    )
    _claim(place, rule)
    _note_first(place, rule)
    index = free_name(place.function.node, "index", "first_index")
    listed = ", ".join(names)

    def make(emit: Emit) -> Part:
        lines: list[Part] = [code(f"{index}, _ = yield {{}}", call(f"{emit.ctx(place.node)}.select", *names))]
        lines.append(f"{done} = {{{{({listed})[{index}]}}}}".format())
        if is_read:
            lines.append(f"{rest} = {{{{{listed}}}}} - {done}".format())
        return block(*lines)

    place.replace(place.statement, make, rule=rule)
    return True
