"""RM120: calls of activities by reference become ``ctx.run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal import rm121_activity_by_name as by_name
from migrate.rules.temporal import rm122_activity_options as options
from migrate.rules.temporal.queues import other_queue, target_part

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.facts import ActivityCall
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM120",
    title="Call of an activity",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`await workflow.execute_activity(charge, order, ...)` becomes `yield ctx.run(charge, order)`; local
activities and activity methods likewise. `args=[a, b]` is unpacked. `start_activity` becomes `yield
ctx.begin_run(...)`, which gives a promise to yield later. With `task_queue=` of other workers it becomes
`ctx.rpc(...)` with their group as target.""",
    why="A step is a function passed to ctx.run; which worker runs it follows from run or rpc.",
    action="Call the activity by reference or by a name that is plain to see, with the arguments in args=[...].",
    minutes=10,
)


def convert(place: Place) -> None:
    """Convert one call."""
    one = place.work.facts.calls.get(place.call)
    if one is None:
        place.block(RULE.code, "the arguments of this activity call are unpacked at run time", RULE.action)
        return
    if one.verb.endswith("_class"):
        place.block(
            RULE.code,
            "activities that are callable objects have no counterpart",
            "Make the activity a function or a method.",
        )
        return
    if len(place.call.args) > (2 if "activity" not in {k.arg for k in place.call.keywords} else 1):
        place.block(
            RULE.code,
            "more than one positional argument: the SDK refuses this call, so it never ran",
            "Pass the arguments as args=[...].",
        )
        return
    if one.activity is not None:
        place.draft.link(place.draft.unit(place.module, place.node), one.activity.unit)
    if _is_remote(one):
        by_name.check_result(place, one)
    place.draft.claim(one.options.get("result_type"), one.options.get("activity_id"))
    mark = place.work.marks.get(one.node)
    place.command(
        lambda emit, begin: _command(place, emit, one, mark, begin=begin), rule=RULE.code, starts=one.is_start
    )


def _is_remote(one: ActivityCall) -> bool:
    """Say whether the call is looked up by name on a worker, rather than run here."""
    return one.activity is None or one.name is not None


def _command(place: Place, emit: Emit, one: ActivityCall, mark: options.Mark | None, *, begin: bool) -> Part:
    draft = place.draft
    queue = other_queue(place, one.options.get("task_queue"))
    verb = "rpc" if queue is not None or _is_remote(one) else "run"
    arguments: list[Part] = list(one.args) if one.args is not None else []
    if one.args is None and one.args_node is not None:
        arguments.append(code("*{}", one.args_node))
    command = call(f"{emit.ctx(place.node)}.{'begin_' if begin else ''}{verb}", one.target, *arguments)
    said = options.call_options(draft, emit, one, mark)
    if queue is not None:
        said.insert(0, Named("target", target_part(queue)))
    return call(code("{}.options", command), *said) if said else command
