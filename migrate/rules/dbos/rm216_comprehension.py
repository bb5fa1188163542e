"""RM216: a comprehension that makes durable calls becomes a loop, because no ``yield`` may stand in it.

Theory. The loop must do the same calls in the same order, and nothing else may see the difference:

* The comprehension is evaluated exactly once where its statement begins: not under a condition, not again and again.
* Nothing with an effect is evaluated before it in the statement, since the loop moves in front of it.
* A generator expression is consumed whole and at once (``sum``, ``list`` ...; not ``any``, which stops early).
* The loop's variable, which now belongs to the function, is not read afterwards for an older value.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from migrate.plan.fragments import block, code, indented
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import arguments, place_of, statement_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.index.model import Definition, Module
    from migrate.plan.edits import FileEdits
    from migrate.plan.fragments import Part
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM216",
    title="A comprehension with durable calls becomes a loop",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    pages = [fetch(url) for url in urls]        pages = []
                                                for url in urls:
                                                    pages.append((yield ctx.run(fetch, url)))

Inside a larger expression the loop is put in front of the statement. Comprehensions that run conditionally, stop early
(`any`, `all`, `next`) or leak their variable are left alone, and the workflow stays on DBOS.""",
    why="Python allows no `yield` inside a comprehension. DBOS made these calls one after the other, as the loop does.",
    action="Write the comprehension as a loop.",
    minutes=5,
)

Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
#: Callables that take a generator expression to its end before they return.
_CONSUMERS: Final = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "sum", "sorted", "max", "min", "dict")
)
#: An empty collection of each kind, as a template.
_EMPTY: Final[dict[type[ast.expr], str]] = {
    ast.ListComp: "[]",
    ast.GeneratorExp: "[]",
    ast.SetComp: "set()",
    ast.DictComp: "{{}}",
}


@dataclass(frozen=True)
class Lowering:
    """How one comprehension becomes a loop.

    Attributes:
        node: what the collected value replaces: the comprehension, or the ``list(...)`` around it.
        comprehension: the comprehension.
        statement: statement that it stands in.
        name: variable that collects.
        is_own: the statement assigns the comprehension to that variable and nothing else.
    """

    node: ast.expr
    comprehension: Comprehension
    statement: ast.stmt
    name: str
    is_own: bool


def around(module: Module, node: ast.AST) -> list[Comprehension]:
    """Return the comprehensions in whose scope ``node`` is evaluated, innermost first.

    The first iterable of a comprehension is evaluated outside of it.
    """
    found: list[Comprehension] = []
    for parent in module.ancestors(node):
        if isinstance(parent, (*_FUNCTIONS, ast.ClassDef)):
            break
        if isinstance(parent, COMPREHENSIONS) and not _is_first_iterable(parent, node, module):
            found.append(parent)
    return found


def is_in_first_iterable(module: Module, node: ast.AST) -> bool:
    """Tell whether ``node`` stands in a comprehension, but only where that is evaluated outside of its scope."""
    for parent in module.ancestors(node):
        if isinstance(parent, (*_FUNCTIONS, ast.ClassDef)):
            return False
        if isinstance(parent, COMPREHENSIONS):
            return True
    return False


def _is_first_iterable(comprehension: Comprehension, node: ast.AST, module: Module) -> bool:
    first = comprehension.generators[0].iter
    return node is first or first in module.ancestors(node)


def plan(facts: Facts, module: Module, comprehension: Comprehension) -> Lowering | None:
    """Say how a comprehension becomes a loop, or None if it cannot."""
    function = module.function_around(comprehension)
    if function is None or any(generator.is_async for generator in comprehension.generators):
        return None
    node = _whole(facts, module, comprehension)
    if node is None:
        return None
    statement = statement_of(module, node)
    if not _is_first_evaluated(module, statement, node) or leaks(module, function, comprehension):
        return None
    name = _own_name(statement, node)
    if name is not None and not _mentions(comprehension, name):
        return Lowering(node, comprehension, statement, name, is_own=True)
    return Lowering(node, comprehension, statement, facts.fresh_name(function, "results"), is_own=False)


def _whole(facts: Facts, module: Module, comprehension: Comprehension) -> ast.expr | None:
    """Return what the collected list replaces; None for a generator expression that is not consumed at once."""
    if not isinstance(comprehension, ast.GeneratorExp):
        return comprehension
    parent = module.parents.get(comprehension)
    if not isinstance(parent, ast.Call) or parent.args[:1] != [comprehension]:
        return None
    called = facts.project.external(module, parent.func)
    if called == "builtins.list" and not parent.keywords and len(parent.args) == 1:
        return parent
    return comprehension if called in _CONSUMERS or _is_join(parent.func) else None


def _is_join(function: ast.expr) -> bool:
    """Tell whether a call joins texts: ``", ".join(...)``."""
    return isinstance(function, ast.Attribute) and function.attr == "join" and isinstance(function.value, ast.Constant)


def _own_name(statement: ast.stmt, node: ast.expr) -> str | None:
    if isinstance(statement, ast.Assign) and statement.value is node and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is node:
        target = statement.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


# -- may it move in front of the statement?


def _is_first_evaluated(module: Module, statement: ast.stmt, node: ast.expr) -> bool:
    current: ast.AST = node
    while current is not statement:
        parent = module.parents[current]
        before = _evaluated_before(module, parent, current)
        if before is None or not all(map(_is_plain, before)):
            return False
        current = parent
    return True


def _evaluated_before(module: Module, parent: ast.AST, child: ast.AST) -> list[ast.expr] | None:
    """Return what ``parent`` evaluates before ``child``, or None where ``child`` may not be evaluated exactly once."""
    if isinstance(parent, ast.expr | ast.keyword):
        rule = _BEFORE.get(type(parent))
        return rule(parent, child) if rule is not None else None
    return _before_in_statement(module, parent, child)


def _before_argument(parent: ast.AST, child: ast.AST) -> list[ast.expr] | None:
    assert isinstance(parent, ast.Call)
    ahead = [one for one in arguments(parent) if one is not child and place_of(one) < place_of(child)]
    return [parent.func, *(one.value if isinstance(one, (ast.keyword, ast.Starred)) else one for one in ahead)]


def _before_member(parent: ast.AST, child: ast.AST) -> list[ast.expr] | None:
    children = [one for one in ast.iter_child_nodes(parent) if isinstance(one, ast.expr) and one is not child]
    return [one for one in children if place_of(one) < place_of(child) and not isinstance(one, ast.Constant)]


def _before_compared(parent: ast.AST, child: ast.AST) -> list[ast.expr] | None:
    assert isinstance(parent, ast.Compare)  # ``a < b < c`` may stop after b
    return None if child in parent.comparators[1:] else _before_member(parent, child)


def _before_value(parent: ast.AST, child: ast.AST) -> list[ast.expr] | None:
    assert isinstance(parent, ast.BoolOp)
    return [] if child is parent.values[0] else None


#: Kinds of expressions that evaluate what they hold once, from left to right.
_BEFORE: Final[dict[type[ast.AST], Callable[[ast.AST, ast.AST], list[ast.expr] | None]]] = {
    ast.Call: _before_argument,
    ast.Compare: _before_compared,
    ast.BoolOp: _before_value,
    **dict.fromkeys(
        (
            ast.Tuple, ast.List, ast.Set, ast.BinOp, ast.JoinedStr, ast.FormattedValue, ast.keyword, ast.Starred,
            ast.Attribute, ast.UnaryOp, ast.Subscript,
        ),
        _before_member,
    ),
}  # fmt: skip


def _before_in_statement(module: Module, parent: ast.AST, child: ast.AST) -> list[ast.expr] | None:
    if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr)):
        return [] if child is parent.value else None
    if isinstance(parent, ast.AugAssign):
        return [parent.target] if child is parent.value else None
    if isinstance(parent, ast.For):
        return [] if child is parent.iter else None
    if isinstance(parent, ast.Raise):
        return [] if child is parent.exc else None
    if isinstance(parent, ast.If):
        above = module.parents.get(parent)
        is_elif = isinstance(above, ast.If) and above.orelse[:1] == [parent]
        return [] if child is parent.test and not is_elif else None
    return None


def _is_plain(node: ast.expr) -> bool:
    """Tell whether evaluating a node earlier or later makes no difference."""
    if isinstance(node, ast.FormattedValue):
        return _is_plain(node.value)
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, (ast.Name, ast.Constant))


# -- may its variables become the function's?


def leaks(module: Module, function: Definition, comprehension: Comprehension) -> bool:
    """Tell whether the function reads a variable of the comprehension for a value of its own."""
    targets = {
        one.id
        for generator in comprehension.generators
        for one in ast.walk(generator.target)
        if isinstance(one, ast.Name)
    }
    inside = set(map(id, ast.walk(comprehension)))
    loops = [one for one in module.ancestors(comprehension) if isinstance(one, (ast.For, ast.While, ast.AsyncFor))]
    for node in ast.walk(function.node):
        if not isinstance(node, ast.Name) or node.id not in targets or id(node) in inside:
            continue
        if not isinstance(node.ctx, ast.Load) or _is_bound_nearer(module, node, function):
            continue
        again = any(loop in module.ancestors(node) for loop in loops)
        is_of_function = node.id in function.inner.bindings
        if again or not is_of_function or place_of(node) > place_of(comprehension):
            return True
    return False


def _is_bound_nearer(module: Module, node: ast.Name, function: Definition) -> bool:
    """Tell whether a read gets its value from a comprehension, loop or function of its own."""
    for parent in module.ancestors(node):
        if parent is function.node:
            return False
        if isinstance(parent, COMPREHENSIONS) and any(_mentions(one.target, node.id) for one in parent.generators):
            return True
        in_loop = isinstance(parent, (ast.For, ast.AsyncFor)) and _mentions(parent.target, node.id)
        if in_loop and not _is_in(module, node, parent.iter):  # type: ignore[attr-defined]
            return True
        if isinstance(parent, _FUNCTIONS) and node.id in _parameters(parent):
            return True
    return False


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    return {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}


def _is_in(module: Module, node: ast.AST, tree: ast.AST) -> bool:
    return node is tree or tree in module.ancestors(node)


# -- the edit


def edit(file: FileEdits, lowering: Lowering) -> None:
    """Write the loop."""
    statement = lowering.statement
    if lowering.is_own:
        file.replace(statement, block(_first_line(lowering), _loop(lowering)), code=RULE.code)
        return
    file.insert_before(statement, block(_first_line(lowering), _loop(lowering)), code=RULE.code)
    file.replace(lowering.node, lowering.name, code=RULE.code)


def _first_line(lowering: Lowering) -> Part:
    empty = _EMPTY[type(lowering.comprehension)]
    if lowering.is_own and isinstance(lowering.statement, ast.AnnAssign):
        return code(f"{lowering.name}: {{}} = {empty}", lowering.statement.annotation)
    return code(f"{lowering.name} = {empty}")


def _loop(lowering: Lowering) -> Part:
    node = lowering.comprehension
    body: Part = _collect(lowering)
    for generator in reversed(node.generators):
        for condition in reversed(generator.ifs):
            body = block(code("if {}:", condition), indented(body))
        body = block(code("for {} in {}:", generator.target, generator.iter), indented(body))
    return body


def _collect(lowering: Lowering) -> Part:
    node = lowering.comprehension
    if isinstance(node, ast.DictComp):
        return code(f"{lowering.name}[{{}}] = {{}}", node.key, node.value)
    verb = "add" if isinstance(node, ast.SetComp) else "append"
    return code(f"{lowering.name}.{verb}({{}})", node.elt)
