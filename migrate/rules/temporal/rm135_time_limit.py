"""RM135: time limits on work: ``asyncio.wait_for`` and ``asyncio.timeout``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, Part, block, call, code, indented
from migrate.rules.base import Rule
from migrate.rules.temporal import rm139_event
from migrate.rules.temporal.calls import ACTIVITY_CALLS
from migrate.rules.temporal.coroutines import called, made_for
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.lowering import element_part
from migrate.rules.temporal.trees import free_name, header_of, is_evaluated_first

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM135",
    title="Time limit on work",
    family="temporal",
    level="manual",
    applicability="review",
    what="""`asyncio.wait_for(workflow.execute_activity(...), 5)` becomes the step's own limit: `.options(timeout=5)`.
Around a condition it becomes `ctx.wait_until(..., timeout=5)`. Around a child, a handle or a helper it becomes a race
with a timer: `ctx.select(job, (yield ctx.begin_sleep(5)))`, and the loser is cancelled. `asyncio.timeout` around one
await is the same.""",
    why="The loop of asyncio does not run in a durable function; a limit is a durable timer.",
    action="Put the limit around one durable call, one helper or one handle.",
    minutes=20,
)
WAIT_FOR: Final = "asyncio.wait_for"
TIMEOUT: Final = "asyncio.timeout"
_CONDITION: Final = "temporalio.workflow.wait_condition"
_CHILD: Final = "temporalio.workflow.execute_child_workflow"
_HANDLES: Final = ("temporalio.workflow.ActivityHandle", "temporalio.workflow.ChildWorkflowHandle", "asyncio.Task")


@dataclass(frozen=True)
class Limited:
    """An await with a time limit.

    Attributes:
        awaited: the await that is replaced.
        work: what the limit is for.
        limit: the time.
        around: the ``async with`` that says the limit, if it is one.
    """

    awaited: ast.Await
    work: ast.expr
    limit: ast.expr
    around: ast.AsyncWith | None = None


def convert_wait_for(place: Place) -> None:
    """Convert ``await asyncio.wait_for(work, limit)``."""
    node = place.call
    said = {keyword.arg: keyword.value for keyword in node.keywords}
    work = node.args[0] if node.args else said.get("fut")
    limit = node.args[1] if len(node.args) > 1 else said.get("timeout")
    if work is None or limit is None or _is_none(limit) or place.awaited is None:
        place.block(RULE.code, "this wait has no limit, or is not awaited at once", RULE.action)
        return
    _convert(place, Limited(place.awaited, work, limit))


def convert_timeout(place: Place) -> None:
    """Convert ``async with asyncio.timeout(limit):`` around one statement with one await."""
    item = place.parent
    around = place.module.parents.get(item) if isinstance(item, ast.withitem) else None
    limit = place.call.args[0] if len(place.call.args) == 1 else None
    awaited = _only_await(place, around) if isinstance(around, ast.AsyncWith) else None
    if awaited is None or limit is None or _is_none(limit) or not isinstance(around, ast.AsyncWith):
        place.block(RULE.code, "asyncio.timeout stands around more than one await of one call", RULE.action)
        return
    _convert(place, Limited(awaited, awaited.value, limit, around))


def _only_await(place: Place, around: ast.AsyncWith) -> ast.Await | None:
    is_plain = len(around.body) == 1 and len(around.items) == 1 and around.items[0].optional_vars is None
    statement = around.body[0] if is_plain else None
    if not isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)):
        return None
    awaits = [one for one in ast.walk(statement) if isinstance(one, ast.Await)]
    return awaits[0] if len(awaits) == 1 and is_evaluated_first(place.module, awaits[0], statement) else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _convert(place: Place, limited: Limited) -> None:
    name = place.draft.external(place.module, limited.work.func) if isinstance(limited.work, ast.Call) else ""
    if limited.around is not None:
        place.draft.survey.handled.add(limited.around)
    if name == rm139_event.WAIT and _event(place, limited):
        return
    if name == _CONDITION and isinstance(limited.work, ast.Call) and _condition(place, limited, limited.work):
        return
    if name in ACTIVITY_CALLS and not name.rpartition(".")[2].startswith("start_") and _step(place, limited):
        return
    if not _race(place, limited, name):
        place.block(RULE.code, "what the time limit is for is no durable call, helper or handle", RULE.action)


def _event(place: Place, limited: Limited) -> bool:
    """An event is a flag, so the wait for it has a limit of its own."""
    flag = rm139_event.receiver_of(place, limited.work)
    if flag is None:
        return False
    _wait_until(place, limited, code("lambda: {}", flag))
    return True


def _condition(place: Place, limited: Limited, work: ast.Call) -> bool:
    """A condition has a limit of its own."""
    if len(work.args) != 1 or work.keywords:
        return False
    _wait_until(place, limited, work.args[0])
    return True


def _wait_until(place: Place, limited: Limited, condition: Part) -> None:
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    assert isinstance(limited.work, ast.Call)
    place.draft.claim(limited.work.func)
    place.work.taken.add(limited.work)
    place.site(limited.awaited)

    def make(emit: Emit) -> Part:
        limit = seconds_part(limited.limit, place.draft.resolver(place.module))
        return code("yield {}", call(f"{emit.ctx(place.node)}.wait_until", condition, timeout=limit))

    place.replace(limited.awaited, make, rule=RULE.code)
    _flatten(place, limited)


def _step(place: Place, limited: Limited) -> bool:
    """The limit of a step over all its attempts; when it is over the step fails, as the cancelled activity did."""
    one = place.work.facts.calls.get(limited.work)  # type: ignore[call-overload]
    if one is None or "schedule_to_close_timeout" in one.options or any(part.names for part in one.unpacked):
        return False
    one.limit = limited.limit
    place.claim()
    if limited.around is None:
        place.use_ctx()
        place.work.modes[limited.work] = "value"
        place.site(limited.awaited)
        place.replace(limited.awaited, lambda _emit: code("yield {}", limited.work), rule=RULE.code)
    _flatten(place, limited)
    message = "when the time is over the error is that of the step, as it was that of the activity: no TimeoutError"
    place.draft.note(
        place.module, place.node, RULE.code, "review", message, "Look whether a handler waits for TimeoutError."
    )
    return True


def _flatten(place: Place, limited: Limited) -> None:
    if limited.around is not None:
        around = limited.around
        place.replace(around, lambda _emit: Body(around), rule=RULE.code)


def _race(place: Place, limited: Limited, name: str) -> bool:
    """Let a timer run against the work, and cancel the work when it comes first."""
    if limited.around is None and not _may_go_before(place, limited):
        return False
    work = limited.work
    is_kept = isinstance(work, (ast.Name, ast.Attribute))
    if is_kept and not _is_promise(place, work):
        return False
    helper = called(place.draft, place.module, work)
    if not is_kept and name != _CHILD and name not in ACTIVITY_CALLS and helper not in place.work.durable:
        return False
    if not is_kept:
        place.work.modes[work] = "begin"
        place.draft.survey.handled.add(limited.awaited)
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.site(limited.awaited)
    place.work.replaced.add(limited.awaited)
    if name != _CHILD:
        message = "when the time is over this raises TimeoutError; of an activity Temporal raised the ActivityError"
        place.draft.note(place.module, place.node, RULE.code, "review", message, "Look which handlers see it.")
    _write_race(place, limited, is_child=name == _CHILD)
    return True


def _write_race(place: Place, limited: Limited, *, is_child: bool) -> None:
    function = place.function.node
    job = limited.work.id if isinstance(limited.work, ast.Name) else free_name(function, "job", "work")
    index = free_name(function, "index", "first")

    def lines(emit: Emit) -> Part:
        ctx = emit.ctx(place.node)
        timer = call(f"{ctx}.begin_sleep", seconds_part(limited.limit, place.draft.resolver(place.module)))
        race = code(f"{index}, _ = yield {{}}", call(f"{ctx}.select", job, code("yield {}", timer)))
        ending = [f"yield {ctx}.cancel({job})", *([] if is_child else ["raise TimeoutError"])]
        return block(*_begin(place, emit, limited.work, job), race, f"if {index} == 1:", indented(*ending))

    place.replace(limited.awaited, lambda _emit: f"yield {job}", rule=RULE.code)
    around = limited.around
    if around is not None:
        place.replace(around, lambda emit: block(lines(emit), Body(around)), rule=RULE.code)
        return
    statement = place.statement
    place.draft.act(
        place.module, place.node, lambda emit: emit.file.insert_before(statement, lines(emit), code=RULE.code)
    )


def _begin(place: Place, emit: Emit, work: ast.expr, job: str) -> list[Part]:
    """Write the line that gives the promise to wait for, if one is needed."""
    if isinstance(work, ast.Name):
        return [f"{job} = yield {job}"] if _is_coroutine(place, work) else []
    if isinstance(work, ast.Attribute):
        return [code(f"{job} = {{}}", work)]
    return [code(f"{job} = yield {{}}", element_part(place.work, emit, work, begin=True))]


def _may_go_before(place: Place, limited: Limited) -> bool:
    statement = place.statement
    header = header_of(place.module, statement)
    if header is None or not is_evaluated_first(place.module, limited.awaited, statement):
        return False
    inside = set(ast.walk(limited.awaited))
    return not any(isinstance(one, ast.Await) and one not in inside for part in header for one in ast.walk(part))


def _is_promise(place: Place, node: ast.expr) -> bool:
    found = place.draft.project.resolve(place.module, node)
    return (found is not None and found.is_instance_of(*_HANDLES)) or _is_coroutine(place, node)


def _is_coroutine(place: Place, node: ast.expr) -> bool:
    """Tell whether a name stands for a coroutine that was made for this wait."""
    made = made_for(place.module, place.function, node) if isinstance(node, ast.Name) else None
    return bool(made) and all(place.work.modes.get(one) == "begin" for one in made or ())
