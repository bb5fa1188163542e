"""RM217: ``asyncio.gather`` over steps and child workflows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import block, call, code, indented
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import arguments, awaited, statement_of
from migrate.rules.dbos.rm216_comprehension import leaks

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM217",
    title="A gather becomes begins and yields",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    pages = await asyncio.gather(               promises = []
        *[fetch(url) for url in urls])          for url in urls:
                                                    promises.append((yield ctx.begin_run(fetch, url)))
                                                pages = []
                                                for promise in promises:
                                                    pages.append((yield promise))

With `return_exceptions`, inside `try`, or over calls that are written out, it becomes `yield ctx.gather(...)`. A gather
over anything but steps and child workflows keeps its workflow on DBOS.""",
    why="A generator waits for one thing at a time; what is begun runs side by side.",
    action="Hand steps or child workflows to gather.",
    minutes=15,
)
GATHER: Final = "asyncio.gather"
_LISTS: Final = (ast.ListComp, ast.GeneratorExp)


def survey(facts: Facts, module: Module, node: ast.Call) -> None:
    """Note a gather in a workflow's body; its calls are noted by their own rules, as commands."""
    at = facts.at(module, node)
    whole = awaited(module, node)
    if at.place != "workflow" or whole is node:
        return
    elements = [one for argument in node.args for one in _elements(argument)]
    if not elements or not all(_is_durable(facts, module, one) for one in elements):
        return  # the colouring says that this await is no durable call
    if any(entry.arg != "return_exceptions" for entry in node.keywords):
        return
    facts.begun.update(one for one in elements if isinstance(one, ast.Call))
    facts.survey.site(module, whole, handled=True)
    if _is_loop(at, node, whole):
        facts.later(at, lambda job: _write_loops(job, facts, at, node))
    else:
        facts.need_helper(at, RULE)
        facts.later(at, lambda job: _write_gather(job, at, node))


def _elements(argument: ast.expr) -> list[ast.expr]:
    inner = argument.value if isinstance(argument, ast.Starred) else argument
    if isinstance(inner, _LISTS):
        return [inner.elt]
    return inner.elts if isinstance(inner, (ast.List, ast.Tuple)) else [inner]


def _is_durable(facts: Facts, module: Module, node: ast.expr) -> bool:
    mark = facts.called(module, node.func) if isinstance(node, ast.Call) else None
    return mark is not None and mark.role != "transaction" and mark.definition.is_async


def _comprehension(node: ast.Call) -> ast.ListComp | ast.GeneratorExp | None:
    """Return the comprehension of ``gather(*[f(x) for x in xs])``."""
    if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.Starred):
        return None
    inner = node.args[0].value
    is_simple = isinstance(inner, _LISTS) and len(inner.generators) == 1 and not inner.generators[0].is_async
    return inner if is_simple else None  # type: ignore[return-value]


def _is_loop(at: At, node: ast.Call, whole: ast.expr) -> bool:
    """Tell whether two loops say the same: nothing around handles errors, and the statement is a plain one."""
    inner, function = _comprehension(node), at.module.function_around(node)
    statement = statement_of(at.module, node)
    if inner is None or function is None or leaks(at.module, function, inner):
        return False
    for parent in at.module.ancestors(node):
        if parent is function.node:
            break
        if isinstance(parent, ast.Try):
            return False
    if isinstance(statement, ast.Assign):
        return statement.value is whole and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)
    return isinstance(statement, (ast.Return, ast.Expr)) and statement.value is whole


def _write_loops(job: Job, facts: Facts, at: At, node: ast.Call) -> None:
    inner, function = _comprehension(node), at.module.function_around(node)
    statement = statement_of(at.module, node)
    assert inner is not None
    assert function is not None
    promises, promise = facts.fresh_name(function, "promises"), facts.fresh_name(function, "promise")
    generator = inner.generators[0]
    body: Part = code(f"{promises}.append({{}})", code("yield {}", inner.elt))
    for condition in reversed(generator.ifs):
        body = block(code("if {}:", condition), indented(body))
    begin = (f"{promises} = []", code("for {} in {}:", generator.target, generator.iter), indented(body))
    loop = f"for {promise} in {promises}:"
    if isinstance(statement, ast.Expr):
        lines: tuple[Part, ...] = (*begin, loop, indented(f"yield {promise}"))
    else:
        is_assign = isinstance(statement, ast.Assign)
        name = ast.unparse(statement.targets[0]) if is_assign else facts.fresh_name(function, "results")  # type: ignore[attr-defined]
        lines = (*begin, f"{name} = []", loop, indented(f"{name}.append((yield {promise}))"))
        lines = lines if is_assign else (*lines, f"return {name}")
    at.file(job).replace(statement, block(*lines), code=RULE.code)


def _write_gather(job: Job, at: At, node: ast.Call) -> None:
    command = call(f"{at.ctx(job)}.gather", *arguments(node))
    at.file(job).replace(awaited(at.module, node), code("yield {}", command), code=RULE.code)
