"""RM255: clock, random numbers and uuids in a workflow's body come from the recorded history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import call as make_call
from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import arguments, count_arguments, has_stars, keyword

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM255",
    title="Clock, random numbers and uuids of a workflow are replayed",
    family="dbos",
    level="note",
    applicability="safe",
    what="""\
In a body that becomes a generator, `time.time()` becomes `ctx.now().timestamp()`, `datetime.now(UTC)` becomes
`ctx.now()`, `uuid.uuid4()` becomes `ctx.uuid4()`, and `random.choice(xs)` becomes `ctx.rng.choice(xs)`. Nothing is
yielded. The clock says the time of the last recorded event, which is when the last step ended. Steps keep the real
clock.""",
    why="""\
A body is run again after a crash, and on another machine. Under DBOS it then saw another time and drew other numbers;
a branch that depends on them would take another way.""",
    action="Read the clock in a step where the present moment matters.",
    minutes=2,
)

_UTC: Final = frozenset({"datetime.timezone.utc", "datetime.UTC"})
_NAIVE: Final = ".astimezone().replace(tzinfo=None)"
#: Calls without arguments, and what follows the name of the context.
_PLAIN: Final = {
    "time.time": ".now().timestamp()",
    "datetime.datetime.now": f".now(){_NAIVE}",
    "datetime.datetime.today": f".now(){_NAIVE}",
    "datetime.datetime.utcnow": ".now().replace(tzinfo=None)",
    "datetime.date.today": ".now().astimezone().date()",
    "uuid.uuid4": ".uuid4()",
}
_DRAWS: Final = frozenset(
    f"random.{name}"
    for name in ("random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "gauss")
)
#: What differs on every run and has no counterpart.
_OTHERS: Final = frozenset({"time.time_ns", "uuid.uuid1", "secrets.token_hex", "secrets.token_urlsafe", "os.urandom"})


def survey(facts: Facts, module: Module, call: ast.Call, name: str) -> None:
    """Note a call in a body that becomes a generator."""
    if name not in _PLAIN and name not in _DRAWS and name not in _OTHERS:
        return
    if facts.place(module, call) != "workflow" or not facts.is_durable_at(module, call):
        return
    at = facts.at(module, call)
    if name in _OTHERS:
        message = f"{name} in a workflow's body differs on every run, also when the body is replayed"
        facts.tell(at, RULE.code, "review", message, "Move it into a step.")
    elif name in _DRAWS:
        _plan(facts, at, lambda ctx: make_call(f"{ctx}.rng.{name.removeprefix('random.')}", *arguments(call)))
    elif count_arguments(call) == 0:
        _plan(facts, at, lambda ctx: f"{ctx}{_PLAIN[name]}")
    elif name == "datetime.datetime.now" and count_arguments(call) == 1 and not has_stars(call):
        _survey_zone(facts, at, call)


def _survey_zone(facts: Facts, at: At, call: ast.Call) -> None:
    zone = keyword(call, "tz", 0)
    if zone is not None and facts.project.external(at.module, zone) in _UTC:
        _plan(facts, at, lambda ctx: f"{ctx}.now()")
    elif zone is not None:
        _plan(facts, at, lambda ctx: code(f"{ctx}.now().astimezone({{}})", zone))


def _plan(facts: Facts, at: At, new: Callable[[str], Part]) -> None:
    facts.need_helper(at, RULE)
    facts.later(at, lambda job: at.file(job).replace(at.node, new(at.ctx(job)), code=RULE.code))
    facts.tell(at, RULE.code, "note", "this is replayed from the record: the time of the last event, or the same draw")
