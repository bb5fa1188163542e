"""RM231: queues. One without limits only starts workflows, and goes; one with limits stays."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import statement_of

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM231",
    title="A queue without limits becomes plain starts",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    queue = Queue("documents")
    handle = queue.enqueue(index, url)          handle = yield ctx.begin_rpc(index, url)

Outside of workflows it becomes `resonate.begin_rpc(str(uuid4()), index, url)`: any worker may take it. A queue with a
limit (`concurrency`, `worker_concurrency`, `limiter`, priorities, partitions), a start with `SetEnqueueOptions`, and a
queue that is defined elsewhere keep their workflows on DBOS.""",
    why="A limit that is lost overloads what it protects.",
    action="Keep it on DBOS, or enforce the limit where the work is done: in the step, or by the number of workers.",
    minutes=30,
)

_CONSTRUCT: Final = "dbos.Queue"
_REGISTER: Final = frozenset({"dbos.DBOS.register_queue", "dbos.DBOS.register_queue_async"})
_ENQUEUE: Final = frozenset({"dbos.Queue.enqueue", "dbos.Queue.enqueue_async"})
_ENQUEUE_BY_NAME: Final = frozenset({"dbos.DBOS.enqueue_workflow", "dbos.DBOS.enqueue_workflow_async"})
#: Settings that limit nothing.
_HARMLESS: Final = frozenset({"name", "polling_interval_sec", "on_conflict"})


@dataclass(eq=False)
class QueueFact:
    """One queue of the project.

    Attributes:
        name: its name.
        places: where it is made.
        unit: it moves when everything does that it starts.
        limits: settings that limit something.
    """

    name: str
    places: list[At]
    unit: Unit
    limits: list[str] = field(default_factory=list)


def collect(facts: Facts) -> None:
    """Find the queues before anything that uses them."""
    for module in facts.project.modules.values():
        for call, name in facts.project.calls(module):
            if name == _CONSTRUCT or name in _REGISTER:
                _collect_one(facts, module, call)


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
    limits = [one.arg or "**" for one in call.keywords if one.arg not in _HARMLESS]
    fact.limits += limits + ["a second positional argument"] * (len(call.args) > 1)
    if name is None:
        facts.stay(at, RULE, "the name of this queue is not plain to see")
    elif fact.limits:
        facts.stay(at, RULE, f"queue {name} has limits ({', '.join(fact.limits)}), and there are no durable queues yet")
    facts.later(at, lambda job: _edit(job, at))


def _edit(job: Job, at: At) -> None:
    """Take the statement away that made the queue."""
    statement = statement_of(at.module, at.node)
    whole = getattr(statement, "value", None)
    if whole is at.node or (isinstance(whole, ast.Await) and whole.value is at.node):
        at.file(job).remove(statement, code=RULE.code)


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
