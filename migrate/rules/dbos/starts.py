"""Calls that start a workflow: a direct call of one, or ``DBOS.start_workflow`` with one."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.rules.dbos import rm231_queue
from migrate.rules.dbos.nodes import arguments
from migrate.rules.dbos.vocabulary import START

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
    from migrate.rules.dbos.facts import Facts, Marked


@dataclass(frozen=True)
class Start:
    """One call that starts a workflow.

    Attributes:
        call: the call.
        function: expression that names what is started.
        target: the workflow or step, or None if the expression cannot be followed.
        args: arguments for it, in order.
        gives_handle: it is ``start_workflow`` or ``enqueue``; else the call waits for the result.
        is_queued: it goes through a queue.
    """

    call: ast.Call
    function: ast.expr
    target: Marked | None
    args: tuple[ast.AST, ...]
    gives_handle: bool
    is_queued: bool = False

    @property
    def client_verb(self) -> str:
        """Return the client's method that does it: a queued one may run on any worker."""
        if not self.gives_handle:
            return "run"
        return "begin_rpc" if self.is_queued else "begin_run"


def read_start(facts: Facts, module: Module, call: ast.Call) -> Start | None:
    """Return what a call starts, or None if it starts nothing."""
    if facts.project.external(module, call.func) in START:
        if not call.args or isinstance(call.args[0], ast.Starred):
            return None
        function = call.args[0]
        rest = tuple(argument for argument in arguments(call) if argument is not function)
        return Start(call, function, facts.called(module, function), rest, gives_handle=True)
    queued = rm231_queue.enqueued(facts, module, call)
    if queued is not None:
        skipped = call.args[: call.args.index(queued) + 1]
        rest = tuple(argument for argument in arguments(call) if argument not in skipped)
        return Start(call, queued, facts.called(module, queued), rest, gives_handle=True, is_queued=True)
    target = facts.called(module, call.func)
    if target is None or target.role != "workflow":
        return None
    return Start(call, call.func, target, arguments(call), gives_handle=False)


def options_of(facts: Facts, start: ast.Call, *, has_id: bool) -> list[tuple[str, ast.expr]]:
    """Return the options that the blocks around a start give it."""
    found: list[tuple[str, ast.expr]] = []
    if has_id and start in facts.ids:
        found.append(("id", facts.ids[start]))
    if start in facts.timeouts:
        found.append(("timeout", facts.timeouts[start]))
    return found + facts.enqueue_options.get(start, [])


def starts_something(facts: Facts, definition: Definition, seen: set[Definition] | None = None) -> bool:
    """Tell whether a plain function starts a workflow, itself or through what it calls."""
    seen = seen if seen is not None else set()
    if definition in seen or definition in facts.marked:
        return False
    seen.add(definition)
    module = definition.module
    for node in ast.walk(definition.node):
        if isinstance(node, ast.Call) and read_start(facts, module, node) is not None:
            return True
    return any(starts_something(facts, site.callee, seen) for site in facts.project.callees(definition))
