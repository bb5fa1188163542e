"""RM250: ``with SetWorkflowID(x):`` gives way to the id at the call that it served."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, block, code, indented
from migrate.rules.base import Rule
from migrate.rules.dbos.starts import read_start, starts_something

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.edits import FileEdits
    from migrate.plan.fragments import Part
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM250",
    title="SetWorkflowID becomes an id at the call",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    with SetWorkflowID(key):                    resonate.run(key, checkout, order)
        checkout(order)

In a workflow the id goes to `.options(id=key)`. As under DBOS it serves only the first workflow that the block
starts; further ones get fresh ids. Starting the same id again joins the first run and returns its result, on both
sides. A block that starts its workflow in a loop, or in a function that it calls, is left alone.""",
    why="An id is an argument here, not a property of the surrounding block.",
    action="Give the id where the workflow is started: one start for each block, not in a loop.",
    minutes=5,
)

_REPEATING: Final = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BRANCHES: Final = (ast.If, ast.Try, ast.IfExp, ast.BoolOp, ast.Match)


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Find the start that the id serves."""
    facts.claim(call.func)
    problem = _serve(facts, module, call)
    if problem:
        at = facts.at(module, call)
        facts.link_all(at.unit)  # the id may reach any of them, through functions that the block calls
        facts.stay(at, RULE, f"SetWorkflowID: {problem}")


def _serve(facts: Facts, module: Module, call: ast.Call) -> str:
    item = module.parents.get(call)
    if not isinstance(item, ast.withitem) or item.optional_vars is not None or len(call.args) + len(call.keywords) != 1:
        return "it is not the plain form `with SetWorkflowID(id):`"
    statement = module.parents[item]
    assert isinstance(statement, (ast.With, ast.AsyncWith))
    starts = starts_in(facts, module, statement)
    if not starts:
        return "the block starts no workflow that is plain to see"
    problem = _not_once(module, statement, starts)
    if problem:
        return problem
    if _starts_earlier(facts, module, statement, starts[0]):
        return "a function that is called before may start the workflow that gets the id"
    value = call.args[0] if call.args else call.keywords[0].value
    facts.ids[starts[0]] = value
    is_near = any(starts[0] is node for node in ast.walk(statement.body[0]))
    if not is_near and not _is_plain(value):
        return "the id is computed before other work of the block; compute it in front of the block"
    drop(facts, facts.at_start(module, starts[0]), statement, item)
    return ""


def starts_in(facts: Facts, module: Module, statement: ast.With | ast.AsyncWith) -> list[ast.Call]:
    """Return the calls in a block that start workflows, in order."""
    calls = [node for part in statement.body for node in ast.walk(part) if isinstance(node, ast.Call)]
    found = [node for node in calls if read_start(facts, module, node) is not None]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _not_once(module: Module, statement: ast.AST, starts: list[ast.Call]) -> str:
    for parent in module.ancestors(starts[0]):
        if parent is statement:
            return ""
        if isinstance(parent, _REPEATING):
            return "the workflow is started in a loop, and only its first round gets the id"
        if isinstance(parent, _FUNCTIONS):
            return "the workflow is started in a function that runs later"
        if isinstance(parent, _BRANCHES) and len(starts) > 1:
            return "which of several workflows gets the id depends on a condition"
    return ""


def _starts_earlier(facts: Facts, module: Module, statement: ast.With | ast.AsyncWith, first: ast.Call) -> bool:
    for part in statement.body:
        for node in ast.walk(part):
            if not isinstance(node, ast.Call) or (node.lineno, node.col_offset) >= (first.lineno, first.col_offset):
                continue
            found = facts.project.resolve(module, node.func)
            if found is not None and found.kind == "definition" and found.definition is not None:
                if isinstance(found.definition.node, ast.ClassDef):
                    continue
                if starts_something(facts, found.definition):
                    return True
    return False


def _is_plain(node: ast.expr) -> bool:
    """Tell whether an expression has the same value a few statements later."""
    return not any(isinstance(one, (ast.Call, ast.Await, ast.NamedExpr, ast.Subscript)) for one in ast.walk(node))


def drop(facts: Facts, at: At, statement: ast.With | ast.AsyncWith, item: ast.withitem) -> None:
    """Plan to take an item of a ``with`` statement away, together with others of the same statement."""
    dropped = facts.dropped.setdefault(statement, [])
    if not dropped:
        facts.later(at, lambda job: _edit(at.file(job), statement, dropped))
    dropped.append(item)


def _edit(file: FileEdits, statement: ast.With | ast.AsyncWith, dropped: list[ast.withitem]) -> None:
    """Take items away; where none is left, the block goes and leaves its body."""
    others = [other for other in statement.items if other not in dropped]
    if not others:
        file.replace(statement, Body(statement), code=RULE.code)
        return
    word = "async with" if isinstance(statement, ast.AsyncWith) else "with"
    head: list[Part] = []
    for other in others:
        shown = code("{} as {}", other.context_expr, other.optional_vars) if other.optional_vars else other.context_expr
        head.append(shown)
    text = f"{word} " + ", ".join("{}" for _ in head) + ":"
    file.replace(statement, block(code(text, *head), indented(Body(statement))), code=RULE.code)
