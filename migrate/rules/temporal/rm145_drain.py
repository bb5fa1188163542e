"""RM145: handlers run before state is read that they may have changed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.temporal.facts import FUNCTIONS
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.facts import Workflow
    from migrate.rules.temporal.place import Work

RULE: Final = Rule(
    code="RM145",
    title="State of handlers that is read after work",
    family="temporal",
    level="note",
    applicability="safe",
    what="""Where a workflow reads, after a step or a sleep, what a signal or update handler writes, `yield
ctx.drain()` goes before the statement: every message that has arrived is handled first. After a wait for a
condition it is not needed.""",
    why="""Temporal hands over all messages that came while a workflow waited before it goes on. Without the drain a
cancellation that came during a step would be seen one step later.""",
    action="Remove the drain where it does not matter whether the newest message is seen.",
)
WAIT: Final = "temporalio.workflow.wait_condition"
#: Whether handlers are done is nothing that they write, but messages that have come begin some.
_HANDLERS: Final = "all_handlers_finished"
_LOOPS: Final = (ast.While, ast.For, ast.AsyncFor)


def survey(work: Work, workflow: Workflow, functions: Iterable[Definition], done: set[Definition]) -> None:
    """Leave the drains of one workflow; a function that several workflows share gets them once."""
    handlers = {method for kind, method in workflow.handlers if kind in ("signal", "update")}
    written = _written(work, handlers)
    if not written and not any(_asks_for_handlers(one.node) for one in functions):
        return
    readers = {one for one in functions if one not in handlers and _reads(one.node, written)}
    for function in functions:
        if function in done or function in handlers or not function.is_async or function.name == "__init__":
            continue
        done.add(function)
        if any(isinstance(one, ast.Await) for one in own_nodes(function.node)):
            flow = _Flow(work, function, written, readers)
            flow.block(function.node.body, dirty=function is not workflow.entry)


def _written(work: Work, handlers: Iterable[Definition]) -> set[str]:
    """Return the attributes of ``self`` that handlers, and what they call, may change."""
    found: set[str] = set()
    stack, seen = list(handlers), set(handlers)
    while stack:
        current = stack.pop()
        for node in ast.walk(current.node):
            found |= _changed(node)
        for site in work.draft.project.callees(current):
            if site.callee not in seen and isinstance(site.callee.node, FUNCTIONS):
                seen.add(site.callee)
                stack.append(site.callee)
    return found


def _changed(node: ast.AST) -> set[str]:
    targets: list[ast.expr] = []
    match node:
        case ast.Assign():
            targets = node.targets
        case ast.AugAssign() | ast.AnnAssign():
            targets = [node.target]
        case ast.Delete():
            targets = node.targets
        case ast.Call(func=ast.Attribute(value=ast.Attribute() as receiver)):
            targets = [receiver]
    names = set()
    for target in targets:
        for one in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            inner = one.value if isinstance(one, ast.Subscript) else one
            if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "self":
                names.add(inner.attr)
    return names


def _reads(node: ast.AST, names: set[str]) -> bool:
    """Tell whether code reads one of the attributes now, and not in a lambda later."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Lambda):
            continue
        is_own = (
            isinstance(current, ast.Attribute) and isinstance(current.value, ast.Name) and current.value.id == "self"
        )
        if is_own and isinstance(current.ctx, ast.Load) and current.attr in names:  # type: ignore[attr-defined]
            return True
        stack.extend(ast.iter_child_nodes(current))
    return False


def _asks_for_handlers(node: ast.AST) -> bool:
    names = (getattr(one, "attr", "") or getattr(one, "id", "") for one in ast.walk(node))
    return any(name == _HANDLERS for name in names)


@dataclass
class _Flow:
    """Walks one function: is there work behind us since messages were last handled?"""

    work: Work
    function: Definition
    written: set[str]
    readers: set[Definition]
    is_trial: bool = False
    placed: set[ast.stmt] = field(default_factory=set)
    ended: set[ast.stmt] = field(default_factory=set)

    def block(self, statements: list[ast.stmt], *, dirty: bool) -> bool:
        """Walk statements in order; return the state after them."""
        for statement in statements:
            dirty = self._statement(statement, dirty=dirty)
        return dirty

    def _statement(self, statement: ast.stmt, *, dirty: bool) -> bool:
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            return dirty
        header = _header(statement)
        if dirty and any(self._looks(one) for one in header):
            self._drain(statement)
            dirty = False
        for one in header:
            dirty = self._after(one, dirty=dirty)
        return self._inner(statement, dirty=dirty)

    def _inner(self, statement: ast.stmt, *, dirty: bool) -> bool:
        match statement:
            case ast.If():
                return self._branches(statement, dirty=dirty)
            case ast.While() | ast.For() | ast.AsyncFor():
                return self._loop(statement, dirty=dirty)
            case ast.Try():
                return self._attempt(statement, dirty=dirty)
            case ast.With() | ast.AsyncWith():
                return self.block(statement.body, dirty=dirty)
            case ast.Match():
                after = [self.block(case.body, dirty=dirty) for case in statement.cases]
                return dirty or any(after)
        return dirty

    def _branches(self, statement: ast.If, *, dirty: bool) -> bool:
        """An ``elif`` belongs to its ``if``: nothing can go between the two."""
        first = self.block(statement.body, dirty=dirty)
        if len(statement.orelse) == 1 and isinstance(statement.orelse[0], ast.If):
            return first | self._branches(statement.orelse[0], dirty=dirty)
        return first | self.block(statement.orelse, dirty=dirty)

    def _loop(self, statement: ast.While | ast.For | ast.AsyncFor, *, dirty: bool) -> bool:
        trial = _Flow(self.work, self.function, self.written, self.readers, is_trial=True)
        end = trial.block(statement.body, dirty=dirty)
        looks = isinstance(statement, ast.While) and self._looks(statement.test)
        head = dirty or (end and not looks)
        end = self.block(statement.body, dirty=head)
        if end and looks:
            self._drain_at_end(statement)
            end = False
        return self.block(statement.orelse, dirty=head or end)

    def _attempt(self, statement: ast.Try, *, dirty: bool) -> bool:
        works = any(isinstance(one, ast.Await) for inner in statement.body for one in ast.walk(inner))
        after = self.block(statement.orelse, dirty=self.block(statement.body, dirty=dirty))
        for handler in statement.handlers:
            after |= self.block(handler.body, dirty=dirty or works)
        return self.block(statement.finalbody, dirty=after or (works and bool(statement.finalbody)))

    # -- expressions

    def _looks(self, node: ast.AST) -> bool:
        """Tell whether an expression reads what handlers write, by itself or through a helper that does not yield."""
        for one in ast.walk(node):
            if isinstance(one, ast.Call):
                found = self.work.draft.project.resolve(self.function.module, one.func)
                if found is not None and found.definition in self.readers and not found.definition.is_async:
                    return True
        if self._waits(node):
            return _asks_for_handlers(node)
        return _reads(node, self.written)

    def _waits(self, node: ast.AST) -> bool:
        return any(
            isinstance(one, ast.Call) and self.work.draft.external(self.function.module, one.func) == WAIT
            for one in ast.walk(node)
        )

    def _after(self, node: ast.AST, *, dirty: bool) -> bool:
        if self._waits(node):
            return False
        return dirty or any(isinstance(one, ast.Await) for one in ast.walk(node))

    # -- edits

    def _drain(self, statement: ast.stmt) -> None:
        if self.is_trial or statement in self.placed:
            return
        self.placed.add(statement)
        self._note()

        def edit(emit: Emit) -> None:
            emit.file.insert_before(statement, code("yield {}.drain()", emit.ctx(statement)), code=RULE.code)

        self.work.draft.act(self.function.module, statement, edit)

    def _drain_at_end(self, loop: ast.While | ast.For | ast.AsyncFor) -> None:
        if self.is_trial or loop in self.ended:
            return
        self.ended.add(loop)
        for one in _continues(loop.body):
            self._drain(one)
        self._note()

        def edit(emit: Emit) -> None:
            emit.file.insert_end(loop, code("yield {}.drain()", emit.ctx(loop)), code=RULE.code)

        if not isinstance(loop.body[-1], (ast.Continue, ast.Break, ast.Return, ast.Raise)):
            self.work.draft.act(self.function.module, loop, edit)

    def _note(self) -> None:
        self.work.needs_ctx.add(self.function)


def _header(statement: ast.stmt) -> list[ast.AST]:
    """Return what a statement evaluates before its blocks; all of a simple statement."""
    found: list[ast.AST] = [statement]
    match statement:
        case ast.If():
            below = statement.orelse
            chained = _header(below[0]) if len(below) == 1 and isinstance(below[0], ast.If) else []
            found = [statement.test, *chained]
        case ast.While():
            found = [statement.test]
        case ast.For() | ast.AsyncFor():
            found = [statement.iter]
        case ast.With() | ast.AsyncWith():
            found = [item.context_expr for item in statement.items]
        case ast.Match():
            found = [statement.subject]
        case ast.Try():
            found = []
    return found


def _continues(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the ``continue`` statements of a loop, those of loops inside it excepted."""
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.Continue):
            found.append(statement)
        elif not isinstance(statement, (*_LOOPS, *FUNCTIONS, ast.ClassDef)):
            for name in ("body", "orelse", "finalbody"):
                found.extend(_continues(getattr(statement, name, [])))
            for arm in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
                found.extend(_continues(arm.body))
    return found
