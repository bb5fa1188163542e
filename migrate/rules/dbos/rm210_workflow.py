"""RM210: ``@DBOS.workflow(...)`` becomes ``@durable(...)``, and its body a generator."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, call
from migrate.rules.base import Rule
from migrate.rules.dbos import rm271_http, rm552_recoveries
from migrate.rules.dbos.vocabulary import SCHEDULED

if TYPE_CHECKING:
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import Facts, Marked

RULE: Final = Rule(
    code="RM210",
    title="A DBOS workflow becomes a durable generator function",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
`@DBOS.workflow()` becomes `@durable()`, the function takes a `Context` first, and durable calls are yielded:

    @DBOS.workflow()                        @durable()
    def welcome(name: str) -> str:          def welcome(ctx: Context, name: str) -> Generator[Any, Any, str]:
        return greet(name)                      return (yield ctx.run(greet, name))

An async workflow becomes a plain generator function. A body without any durable call stays what it is and runs as
one step. A workflow stays on DBOS if it is defined inside another function, is handed to code that cannot be
followed, has a decorator that expects a plain function, or awaits something that is not durable.""",
    why="A generator can be replayed from its record on any machine; a thread that blocks in a step cannot.",
    action="Move the workflow to module level, call it by name, or move what it awaits into a step.",
    minutes=20,
)

_OPTIONS: Final = frozenset({"name", "max_recovery_attempts", "auto_upgrade"})


def survey(facts: Facts, mark: Marked) -> None:
    """Note what a workflow needs."""
    facts.claim(mark.decorator)
    routes = rm271_http.routes(facts, mark)
    problem, place = _problem(facts, mark, routes)
    if not problem and routes:
        problem = rm271_http.problem(facts, mark)
    if problem:
        message = f"workflow {mark.definition.name}: {problem}"
        facts.stay(facts.at_mark(mark), RULE, message, node=place)
        return
    facts.later(facts.at_mark(mark), lambda job: edit(job, facts, mark, has_handler=bool(routes)))
    if routes:
        facts.needs_client(facts.at_mark(mark))
        facts.later(facts.at_mark(mark), lambda job: rm271_http.edit(job, facts, mark, routes))
    assert isinstance(mark.decorator, ast.Call)
    for entry in mark.decorator.keywords:
        if entry.arg == "max_recovery_attempts":
            rm552_recoveries.tell(facts, replace(facts.at_mark(mark), node=entry), mark.definition.name)


def _problem(facts: Facts, mark: Marked, routes: list[ast.expr]) -> tuple[str, ast.AST]:
    definition, decorator = mark.definition, mark.decorator
    if not isinstance(decorator, ast.Call) or decorator.args:
        return "the decorator is not called with named arguments", decorator
    for entry in decorator.keywords:
        if entry.arg not in _OPTIONS:
            return f"option {entry.arg or '**'} of the decorator has no counterpart", entry
    if definition.scope.kind == "function":
        return f"it is defined inside {getattr(definition.scope.node, 'name', 'a lambda')}", definition.node
    for other, meaning in facts.project.decorators(definition):
        if other is decorator or other in routes:
            continue
        known = meaning.name if meaning is not None and meaning.kind == "external" else ""
        if known not in ("builtins.staticmethod", SCHEDULED):
            return f"it is decorated with @{ast.unparse(other)} too, which expects a plain function", other
    return "", decorator


def edit(job: Job, facts: Facts, mark: Marked, *, has_handler: bool) -> None:
    """Replace the decorator; the engine changes the signature of a body that yields."""
    definition = mark.definition
    assert isinstance(mark.decorator, ast.Call)
    file = job.file(definition.module, mark.unit)
    said = {entry.arg: entry for entry in mark.decorator.keywords}
    parts: list[Part] = []
    name: Part | None = said["name"].value if "name" in said else facts.given_name(mark)
    if name is None and has_handler:
        name = f'"{definition.name}"'
    if name is not None:
        parts.append(Named("name", name))
    file.replace(mark.decorator, call(file.name("resonate_core.durable"), *parts), code=RULE.code)
    if job.colour(definition) != "generator":
        assert isinstance(definition.node, (ast.FunctionDef, ast.AsyncFunctionDef))
        context = file.name("resonate_core.Context")
        file.add_parameter(definition.node, f"{job.ctx(definition.module, definition.node)}: {context}", code=RULE.code)
