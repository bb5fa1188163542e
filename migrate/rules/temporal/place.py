"""One place of workflow code: a call or a name of the SDK, with what stands around it.

A durable call becomes a *command*: an expression that builds it, such as ``ctx.run(charge, order)``. Where the call
was awaited the command is yielded; where it was handed to ``gather`` or ``create_task`` it stays a command, to be
begun there.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from migrate.plan.fragments import Part, code
from migrate.rules.temporal.endings import ending
from migrate.rules.temporal.lowering import lower_comprehension
from migrate.rules.temporal.trees import statement_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.index.model import Definition, Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Facts
    from migrate.rules.temporal.rm122_activity_options import Mark

#: Builds a command; the flag asks for the form that gives a promise.
Maker: TypeAlias = "Callable[[Emit, bool], Part]"
Mode: TypeAlias = Literal["await", "begin", "value"]


@dataclass
class Work:
    """What all places of one survey share.

    Attributes:
        marks: mark of the step that each activity call calls.
        modes: calls that something around them begins, by a rule that looked at them before.
        needs_ctx: functions that use the context.
        makers: how each durable call is built.
        started: calls that begin the work by themselves and stand alone.
        conditions: how many waits of a function run in a branch of their own.
        endings: what begun work says of the end of the workflow.
        gather_limits: how much of a gather runs at a time, where a semaphore says so.
        lowered: comprehensions that a rule turns into loops.
        named: steps of others that a file has a marker for.
        taken: calls that a rule around them takes care of.
        replaced: awaits that a rule around them writes.
        wrapped: functions whose calls ask for wrapped errors.
        code: functions of workflows.
        durable: async ones of them that await something durable.
        begun: coroutines that begin where they are made, because something further down wants them running.
        begun_functions: functions of the project that run in a branch of their own.
        queues: task queues of the workers of each workflow class; None stands for an unknown one.
    """

    draft: Draft
    facts: Facts
    marks: dict[ast.Call, Mark]
    modes: dict[ast.AST, Mode] = field(default_factory=dict)
    needs_ctx: set[Definition] = field(default_factory=set)
    makers: dict[ast.AST, Maker] = field(default_factory=dict)
    started: set[ast.AST] = field(default_factory=set)
    conditions: dict[Definition, int] = field(default_factory=dict)
    endings: dict[ast.AST, str] = field(default_factory=dict)
    gather_limits: dict[ast.Call, ast.expr] = field(default_factory=dict)
    lowered: set[ast.AST] = field(default_factory=set)
    named: set[tuple[str, str]] = field(default_factory=set)
    taken: set[ast.AST] = field(default_factory=set)
    replaced: set[ast.AST] = field(default_factory=set)
    wrapped: set[Definition] = field(default_factory=set)
    queues: dict[Definition, set[str | None]] = field(default_factory=dict)
    code: set[Definition] = field(default_factory=set)
    durable: set[Definition] = field(default_factory=set)
    begun: set[ast.AST] = field(default_factory=set)
    begun_functions: set[Definition] = field(default_factory=set)


@dataclass(frozen=True)
class Place:
    """A call or name in workflow code.

    Attributes:
        function: the function around it.
        node: the call, or the name if it is not called.
        name: the SDK's name for it.
    """

    work: Work
    module: Module
    function: Definition
    node: ast.expr
    name: str

    @property
    def draft(self) -> Draft:
        """The survey's state."""
        return self.work.draft

    @property
    def call(self) -> ast.Call:
        """The call; only for names that are called."""
        assert isinstance(self.node, ast.Call)
        return self.node

    @property
    def parent(self) -> ast.AST | None:
        """The node around it."""
        return self.module.parents.get(self.node)

    @property
    def awaited(self) -> ast.Await | None:
        """The ``await`` in front of it, if there is one."""
        return self.parent if isinstance(self.parent, ast.Await) else None

    @property
    def statement(self) -> ast.stmt:
        """The statement it stands in."""
        return statement_of(self.module, self.node)

    def block(self, code_: str, message: str, action: str, node: ast.AST | None = None) -> None:
        """Say that this place cannot be converted."""
        self.draft.block(self.module, node or self.node, code_, message, action)

    def helper(self, code_: str) -> None:
        """Say that this place needs a helper of the runtime."""
        self.draft.need(self.module, self.node, "helper", code_)

    def claim(self) -> None:
        """Explain the name itself (of a call: what is called)."""
        self.draft.claim(self.node.func if isinstance(self.node, ast.Call) else self.node)

    def use_ctx(self) -> None:
        """Note that the function around needs the context."""
        self.work.needs_ctx.add(self.function)

    def replace(self, node: ast.AST, make: Callable[[Emit], Part], *, rule: str) -> None:
        """Leave an edit: put new code in the place of ``node``."""
        self.draft.act(self.module, self.node, lambda emit: emit.file.replace(node, make(emit), code=rule))

    def command(self, maker: Maker, *, rule: str, starts: bool = False) -> None:
        """Convert a durable call.

        Args:
            maker: builds the command.
            rule: code of the rule.
            starts: the call begins the work by itself and gives a handle.
        """
        self.use_ctx()
        self.claim()
        self.work.makers[self.node] = maker
        mode = self.work.modes.get(self.node)
        awaited = self.awaited
        if mode == "begin":
            self.replace(self.node, lambda emit: maker(emit, True), rule=rule)
        elif awaited is not None:
            self.site(awaited)
            self.replace(awaited, lambda emit: code("yield {}", maker(emit, False)), rule=rule)
        elif starts or self.node in self.work.begun:
            self.work.started.add(self.node)
            self.site(self.node)
            end = self.work.endings[self.node] = ending(self, self.node, self.node)
            self.replace(self.node, lambda emit: code("yield {}" + end, maker(emit, True)), rule=rule)
        else:
            self.replace(self.node, lambda emit: maker(emit, False), rule=rule)

    def site(self, node: ast.expr) -> None:
        """Say that an expression becomes a ``yield``; a comprehension around it becomes a loop if that is possible."""
        self.draft.survey.site(self.module, node, handled=lower_comprehension(self, node))
