"""RM271: a workflow that is also an HTTP handler becomes two functions."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos.vocabulary import ROUTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import Facts, Marked

RULE: Final = Rule(
    code="RM271",
    title="A workflow that is an HTTP handler becomes two functions",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    @app.post("/orders/{item}")                 @durable(name="order")
    @DBOS.workflow()                            def order_workflow(ctx: Context, item: str): ...
    def order(item: str): ...

                                                @app.post("/orders/{item}")
                                                def order(item: str):
                                                    return resonate.run(str(uuid4()), order_workflow, item)

The handler keeps its name, path and parameters; the workflow keeps its registered name. A handler that takes the
request itself, or has injected parameters, stays: they cannot be arguments of a durable function.""",
    why="The framework calls its handler and sends what comes back; from a generator function comes a generator.",
    action="Write a handler that starts the workflow with plain values.",
    minutes=10,
)

#: Classes of parameters that a framework makes itself and that no record can hold.
_LIVE: Final = ("fastapi.Request", "fastapi.Response", "fastapi.WebSocket", "fastapi.BackgroundTasks", "starlette.")


def routes(facts: Facts, mark: Marked) -> list[ast.expr]:
    """Return the decorators that give a workflow to an HTTP framework."""
    found = []
    for node, meaning in facts.project.decorators(mark.definition):
        if meaning is not None and meaning.kind == "external" and meaning.name.rpartition(".")[0] in ROUTERS:
            found.append(node)
    return found


def problem(facts: Facts, mark: Marked) -> str:
    """Say why a handler cannot be split from its workflow, or ""."""
    node, module = mark.definition.node, mark.definition.module
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    if node.args.vararg is not None or node.args.kwarg is not None or node.args.posonlyargs:
        return "the HTTP handler takes any number of arguments"
    if any(isinstance(one, ast.Call) for one in (*node.args.defaults, *node.args.kw_defaults)):
        return "the HTTP handler has parameters that the framework injects"
    for argument in (*node.args.args, *node.args.kwonlyargs):
        typed = facts.project.annotation(module, argument.annotation) if argument.annotation is not None else None
        if typed is not None and typed.name.startswith(_LIVE):
            return f"the HTTP handler takes {typed.name.rpartition('.')[2]}, which no record can hold"
    if facts.project.callers(mark.definition):
        return "the HTTP handler is called as a workflow too"
    return ""


def workflow_name(name: str) -> str:
    """Return the name of the workflow that leaves its own to the handler."""
    return f"durable_{name}" if name.endswith("workflow") else f"{name}_workflow"


def edit(job: Job, facts: Facts, mark: Marked, decorators: list[ast.expr]) -> None:
    """Rename the workflow, and put the handler below it."""
    node = mark.definition.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    at = facts.at_mark(mark)
    file = at.file(job)
    name = workflow_name(node.name)
    client = facts.client_name(job, at)
    given = f"str({file.name('uuid.uuid4')}())"
    values = [one.arg for one in node.args.args] + [f"{one.arg}={one.arg}" for one in node.args.kwonlyargs]
    passed = ", ".join([given, name, *values])
    is_async = isinstance(node, ast.AsyncFunctionDef)
    result = f"await {client}.aio.run({passed})" if is_async else f"{client}.run({passed})"
    text_of = partial(job.project.source_of, at.module)
    returns = f" -> {text_of(node.returns)}" if node.returns is not None else ""
    lines = [
        "\n",
        *(f"@{text_of(one)}" for one in decorators),
        f"{'async ' if is_async else ''}def {node.name}({', '.join(_parameters(node.args, text_of))}){returns}:",
        f"    return {result}",
    ]
    for decorator in decorators:
        file.remove(decorator, code=RULE.code)
    file.rename(node, name, code=RULE.code)
    file.insert_after(node, "\n".join(lines), code=RULE.code)


def _parameters(args: ast.arguments, text_of: Callable[[ast.AST], str]) -> list[str]:
    """Return the parameters of a handler as they are spelled."""
    defaults: list[ast.expr | None] = [None] * (len(args.args) - len(args.defaults))
    given = list(zip(args.args, [*defaults, *args.defaults], strict=True))
    named = list(zip(args.kwonlyargs, args.kw_defaults, strict=True))
    spelled = [_parameter(one, default, text_of) for one, default in given]
    return [*spelled, *(["*"] if named else []), *(_parameter(one, default, text_of) for one, default in named)]


def _parameter(argument: ast.arg, default: ast.expr | None, text_of: Callable[[ast.AST], str]) -> str:
    if default is None:
        return text_of(argument)
    return f"{text_of(argument)}{'=' if argument.annotation is None else ' = '}{text_of(default)}"
