"""RM231: queues. One without limits only starts workflows; one with limits becomes a durable queue with the same."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, call
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import awaited, statement_of
from migrate.rules.dbos.vocabulary import DEBOUNCING, SCHEDULING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM231",
    title="A queue becomes a durable queue, or plain starts if it has no limits",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    queue = Queue("documents", concurrency=5)   queue = Queue("documents", concurrency=5)
    handle = queue.enqueue(index, url)          handle = yield ctx.enqueue(queue, index, url)

Outside of workflows it becomes `resonate.enqueue(queue, str(uuid4()), index, url)`. Limits over all processes and in
one, rates, priorities and partitions stay what they were. A queue without any limit only starts workflows: its calls
become `begin_rpc`, and any worker takes them. A queue whose name or limits are not plain to see keeps its workflows on
the shim.""",
    why="A limit that is lost overloads what it protects.",
    action="Write the limits where the queue is made, or keep it on the shim.",
    minutes=15,
)

_CONSTRUCT: Final = "dbos.Queue"
_REGISTER: Final = frozenset({"dbos.DBOS.register_queue", "dbos.DBOS.register_queue_async"})
_ENQUEUE: Final = frozenset({"dbos.Queue.enqueue", "dbos.Queue.enqueue_async"})
_ENQUEUE_BY_NAME: Final = frozenset({"dbos.DBOS.enqueue_workflow", "dbos.DBOS.enqueue_workflow_async"})
#: Settings that limit nothing.
_HARMLESS: Final = frozenset({"name", "polling_interval_sec", "on_conflict"})
_POSITIONS: Final = ("name", "concurrency", "limiter")
#: DBOS's name of a limit -> the runtime's. Those of 3.x for each partition say that there are partitions.
_LIMITS: Final[Mapping[str, str]] = {
    "concurrency": "concurrency",
    "global_concurrency": "concurrency",
    "worker_concurrency": "worker_concurrency",
    "limiter": "limiter",
    "priority_enabled": "priority_enabled",
    "partition_queue": "partition_queue",
    "partition_concurrency": "concurrency",
    "partition_worker_concurrency": "worker_concurrency",
    "partition_limiter": "limiter",
}
_OF_PARTITIONS: Final = "partition_"


@dataclass(eq=False)
class QueueFact:
    """One queue of the project.

    Attributes:
        name: its name.
        places: where it is made.
        unit: it moves when everything does that it starts.
        is_kept: it limits something, or something on the shim looks for it.
        has_priorities: something is enqueued with a priority, which version 3 allows on every queue.
    """

    name: str
    places: list[At]
    unit: Unit
    is_kept: bool = False
    has_priorities: bool = False


def collect(facts: Facts) -> None:
    """Find the queues before anything that uses them."""
    for module in facts.project.modules.values():
        for made, name in facts.project.calls(module):
            if name == _CONSTRUCT or name in _REGISTER:
                _collect_one(facts, module, made)
    for module in facts.project.modules.values():
        for called, name in facts.project.calls(module):
            if name in SCHEDULING or name in DEBOUNCING:
                _keep_named(facts, module, called)


def _keep_named(facts: Facts, module: Module, called: ast.Call) -> None:
    """Keep the queues that a call on the shim names, also those without limits: it looks for them."""
    for node in ast.walk(called):
        fact = facts.queues.get(str(node.value)) if isinstance(node, ast.Constant) else None
        fact = fact or (_queue_of(facts, module, node) if isinstance(node, ast.Name) else None)
        if fact is not None:
            fact.is_kept = True


def survey_options(facts: Facts) -> None:
    """See what starts in queues are given."""
    for start, (fact, at) in facts.enqueued.items():
        given = {name for name, _ in facts.enqueue_options.get(start, ())}
        fact.has_priorities = fact.has_priorities or "priority" in given
        if given - {"delay"} and not fact.is_kept:
            facts.stay(at, RULE, "a start in a queue without limits has a priority or a partition")


def _collect_one(facts: Facts, module: Module, call: ast.Call) -> None:
    facts.claim(call.func)
    given = call.args[0] if call.args else next((one.value for one in call.keywords if one.arg == "name"), None)
    name = facts.project.string(module, given)
    at = facts.at_wiring(module, call)
    fact = facts.queues.get(name) if name is not None else None
    if fact is None:
        fact = QueueFact(name or "", [], at.unit)
        facts.queues[name or str(len(facts.queues))] = fact
    fact.places.append(at)
    facts.survey.link(at.unit, fact.unit)
    limits = _limits(call)
    if name is None:
        facts.stay(at, RULE, "the name of this queue is not plain to see")
    elif isinstance(limits, str):
        facts.stay(at, RULE, f"queue {name}: {limits}")
    else:
        fact.is_kept = fact.is_kept or bool(limits)
        facts.later(at, lambda job: _edit(job, at, fact, call, limits))


def _limits(call: ast.Call) -> dict[str, ast.expr] | str:
    """Return the limits by the runtime's names, or what stands against that."""
    given = dict(zip(_POSITIONS, call.args, strict=False))
    if len(call.args) > len(_POSITIONS) or any(isinstance(one, ast.Starred) for one in call.args):
        return "its positional arguments are not plain to see"
    for entry in call.keywords:
        if entry.arg is None or (entry.arg not in _LIMITS and entry.arg not in _HARMLESS):
            return f"its setting {entry.arg or '**'} has no counterpart"
        given[entry.arg] = entry.value
    found = {name: value for name, value in given.items() if name in _LIMITS and not _is_nothing(value)}
    kinds = {name.startswith(_OF_PARTITIONS) for name in found if name not in ("priority_enabled", "partition_queue")}
    if len(kinds) > 1:
        return "it has limits of partitions and limits of all"
    limits = {_LIMITS[name]: value for name, value in found.items()}
    if True in kinds:
        limits["partition_queue"] = ast.Constant(value=True)
    return limits


def _is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value in (None, False)


def _edit(job: Job, at: At, fact: QueueFact, made: ast.Call, limits: dict[str, ast.expr]) -> None:
    """Make the runtime's queue, or take the statement away that made one without limits."""
    file, whole = at.file(job), awaited(at.module, made)
    if fact.is_kept:
        name = made.args[0] if made.args else next(one.value for one in made.keywords if one.arg == "name")
        wished = {"priority_enabled": "True"} if fact.has_priorities and "priority_enabled" not in limits else {}
        shown: dict[str, Part] = {key: _shown(value) for key, value in limits.items()}
        parts = [Named(key, value) for key, value in (shown | wished).items()]
        file.replace(whole, call(file.name("resonate_core.Queue"), name, *parts), code=RULE.code)
        return
    statement = statement_of(at.module, made)
    if getattr(statement, "value", None) is whole:
        file.remove(statement, code=RULE.code)


def _shown(value: ast.expr) -> Part:
    """Return an expression of the file, or the text of one that is not in it."""
    return value if hasattr(value, "lineno") else ast.unparse(value)


def enqueued(facts: Facts, module: Module, call: ast.Call) -> ast.expr | None:
    """Return the expression that names what a call enqueues, or None if it enqueues nothing."""
    name = facts.project.external(module, call.func)
    place = 0 if name in _ENQUEUE else 1 if name in _ENQUEUE_BY_NAME else None
    if place is None or len(call.args) <= place or any(isinstance(one, ast.Starred) for one in call.args[: place + 1]):
        return None
    return call.args[place]


def link(facts: Facts, at: At, call: ast.Call) -> None:
    """Tie a start to its queue, and keep it where the queue is unknown."""
    facts.explain(call.func)
    name = facts.project.external(at.module, call.func)
    if name in _ENQUEUE_BY_NAME:
        facts.claim(call.func)
        text = facts.project.string(at.module, call.args[0])
        fact = facts.queues.get(text) if text is not None else None
    else:
        assert isinstance(call.func, ast.Attribute)
        fact = _queue_of(facts, at.module, call.func.value)
    if fact is None:
        facts.stay(at, RULE, "the queue of this start is not plain to see, so its limits are not")
        return
    facts.survey.link(at.unit, fact.unit)
    facts.enqueued[call] = fact, at
    if fact.is_kept:
        facts.need_helper(at, RULE)


def queue_at(facts: Facts, start: ast.Call) -> ast.expr | None:
    """Return the expression of the queue in which a start stands, None if that only starts."""
    found = facts.enqueued.get(start)
    if found is None or not found[0].is_kept:
        return None
    by_name = facts.project.external(found[1].module, start.func) in _ENQUEUE_BY_NAME
    assert by_name or isinstance(start.func, ast.Attribute)
    return start.args[0] if by_name else start.func.value  # type: ignore[attr-defined]


def _queue_of(facts: Facts, module: Module, node: ast.expr) -> QueueFact | None:
    """Find the queue that a variable holds, in this file or in the one it is imported from."""
    if not isinstance(node, ast.Name):
        return None
    bindings = module.scope_of.get(node, module.scope).bindings.get(node.id) or module.scope.bindings.get(node.id, [])
    if len(bindings) != 1:
        return None
    value = bindings[0].value
    if bindings[0].kind == "import":
        parent, _, last = bindings[0].target.rpartition(".")
        other = facts.project.finder.find(module, parent)
        found = other.scope.bindings.get(last, []) if other is not None else []
        value = found[0].value if len(found) == 1 else None
    return next((one for one in facts.queues.values() if any(at.node is value for at in one.places)), None)
