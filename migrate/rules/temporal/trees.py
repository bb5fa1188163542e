"""Questions about the syntax tree of one function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.index.order import children

if TYPE_CHECKING:
    from migrate.index.model import Module

_NEW_SCOPE: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def statement_of(module: Module, node: ast.AST) -> ast.stmt:
    """Return the innermost statement around ``node``."""
    current: ast.AST | None = node
    while current is not None and not isinstance(current, ast.stmt):
        current = module.parents.get(current)
    assert current is not None, "an expression always stands in a statement"
    return current


def is_forgotten(module: Module, function: ast.AST, node: ast.expr) -> bool:
    """Tell whether nobody can ask for the value of an expression: it is dropped, or its only name is never read."""
    statement = module.parents.get(node)
    match statement:
        case ast.Expr():
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return not any(
                isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load)
                for one in ast.walk(function)
            )
    return False


#: Nodes of the functions of one survey, which many rules ask for; forgotten at its end.
_OWN_NODES: Final[dict[ast.AST, list[ast.AST]]] = {}


def forget() -> None:
    """Let go of the trees of a survey that is done."""
    _OWN_NODES.clear()


def own_nodes(function: ast.AST) -> list[ast.AST]:
    """Return the nodes of a function in source order, without those of functions and classes inside it."""
    known = _OWN_NODES.get(function)
    if known is not None:
        return known
    found = _OWN_NODES[function] = []
    stack: list[ast.AST] = list(reversed(getattr(function, "body", ())))
    while stack:
        current = stack.pop()
        found.append(current)
        if not isinstance(current, _NEW_SCOPE):
            stack.extend(reversed(list(children(current))))
    return found


def is_inside(module: Module, node: ast.AST, kinds: tuple[type[ast.AST], ...], top: ast.AST) -> ast.AST | None:
    """Return the nearest node of some kinds around ``node``, below ``top``."""
    for parent in module.ancestors(node):
        if parent is top:
            return None
        if isinstance(parent, kinds):
            return parent
    return None


def names_in(function: ast.AST) -> set[str]:
    """Return every name that a function says, parameters included."""
    found = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    return found | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}


def free_name(function: ast.AST, *candidates: str) -> str:
    """Return the first candidate that the function does not use."""
    taken = names_in(function)
    found = next((name for name in candidates if name not in taken), "")
    name = found or candidates[0] + "_"
    while name in taken:
        name += "_"
    return name


def loop_names_are_free(module: Module, function: ast.AST, targets: list[ast.expr], statement: ast.stmt) -> bool:
    """Tell whether names of a comprehension may become names of the function.

    They may if nobody reads such a name after the statement, or anywhere in a loop around it.
    """
    names = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    around = is_inside(module, statement, (ast.For, ast.While, ast.AsyncFor), function)
    first = getattr(around, "lineno", None) or statement.lineno
    inside = set(ast.walk(statement))
    for node in own_nodes(function):
        if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load) and node not in inside:
            in_comprehension = is_inside(module, node, COMPREHENSIONS, function) is not None
            if (
                not in_comprehension
                and node.lineno >= first
                and not _is_bound_by_loop(module, node, statement, function)
            ):
                return False
    return True


def _is_bound_by_loop(module: Module, node: ast.Name, statement: ast.stmt, function: ast.AST) -> bool:
    """Tell whether a ``for`` loop around a name, but not around the statement, gives it its value."""
    chain = module.ancestors(node)
    around_statement = set(module.ancestors(statement))
    for parent in chain[: chain.index(function)] if function in chain else chain:
        if (
            isinstance(parent, (ast.For, ast.AsyncFor))
            and parent not in around_statement
            and _is_in(parent.body, chain)
        ):
            targets = {one.id for one in ast.walk(parent.target) if isinstance(one, ast.Name)}
            if node.id in targets:
                return True
    return False


def _is_in(body: list[ast.stmt], chain: list[ast.AST]) -> bool:
    return any(one in chain for one in body)


def header_of(module: Module, statement: ast.stmt) -> list[ast.AST] | None:
    """Return what a statement evaluates first and once, if other statements can go right above it for that."""
    if module.source.line(statement.lineno).encode()[: statement.col_offset].strip():
        return None  # it shares its line with what stands around it
    match statement:
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return() | ast.Expr():
            return [statement]
        case ast.For():
            return [statement.iter]
        case ast.If():
            around = module.parents.get(statement)
            is_elif = isinstance(around, ast.If) and around.orelse == [statement]
            return None if is_elif and _says_elif(module, statement) else [statement.test]
    return None


def _says_elif(module: Module, statement: ast.If) -> bool:
    return module.source.line(statement.lineno).lstrip().startswith("elif")


def is_evaluated_first(module: Module, node: ast.expr, statement: ast.stmt) -> bool:
    """Tell whether nothing in a statement decides whether an expression in it is evaluated at all."""
    below: ast.AST = node
    for parent in module.ancestors(node):
        if parent is statement:
            return True
        match parent:
            case ast.BoolOp() if below is not parent.values[0]:
                return False
            case ast.IfExp() if below is not parent.test:
                return False
            case ast.Compare() if below is not parent.left and below is not parent.comparators[0]:
                return False
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return False
        below = parent
    return False


def next_statement(module: Module, statement: ast.stmt) -> ast.stmt | None:
    """Return the statement behind one in its block."""
    around = module.parents[statement]
    for name in ("body", "orelse", "finalbody"):
        block = getattr(around, name, [])
        if statement in block[:-1]:
            found: ast.stmt = block[block.index(statement) + 1]
            return found
    return None
