"""Comprehensions that hold a durable expression become loops, because no ``yield`` may stand in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, code
from migrate.rules.temporal.trees import COMPREHENSIONS, free_name, is_inside, loop_names_are_free, statement_of

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place, Work

#: Code of the rule that explains the loops.
CODE: Final = "RM130"


def lower_comprehension(place: Place, site: ast.expr) -> bool:
    """Turn the list comprehension around a durable expression into a loop, if there is one and that is possible.

    Returns:
        Whether the place is taken care of; False also where there is no comprehension.
    """
    found = is_inside(place.module, site, (*COMPREHENSIONS, ast.Lambda), place.function.node)
    if found in place.work.lowered:
        return True
    if not isinstance(found, ast.ListComp) or not _is_plain(place, found):
        return False
    statement = statement_of(place.module, found)
    if _loop(found, statement, found.elt) is None:
        return _may_go_before(found, statement) and _hoist(place, found, statement)
    place.work.lowered.add(found)

    def make(emit: Emit) -> Part:
        loop = _loop(found, statement, element_part(place.work, emit, found.elt))
        assert loop is not None, "the shape does not depend on the element"
        return loop

    place.replace(statement, make, rule=CODE)
    return True


def element_part(work: Work, emit: Emit, node: ast.expr, *, begin: bool = False) -> Part:
    """Return the new code of one element; a durable call is built anew, so that it is laid out for its new place."""
    inner = node.value if isinstance(node, ast.Await) else node
    maker = work.makers.get(inner)
    if maker is None:
        return node
    if isinstance(node, ast.Await):
        return code("yield {}", maker(emit, False))
    if node in work.started:
        return code("yield {}", maker(emit, True))
    return maker(emit, begin)


def _is_plain(place: Place, node: ast.ListComp) -> bool:
    """Tell whether a comprehension has one clause, stands in no other, and leaks no name that matters."""
    function = place.function.node
    if len(node.generators) != 1 or node.generators[0].is_async:
        return False
    if is_inside(place.module, node, COMPREHENSIONS, function) is not None:
        return False
    statement = statement_of(place.module, node)
    return loop_names_are_free(place.module, function, [node.generators[0].target], statement)


def _may_go_before(node: ast.ListComp, statement: ast.stmt) -> bool:
    """Tell whether a comprehension may be computed before the rest of its statement."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)):
        return False
    inside = set(ast.walk(node))
    others = [one for one in ast.walk(statement) if one not in inside]
    lazy = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.Await, *COMPREHENSIONS)
    return not any(isinstance(one, lazy) for one in others)


def _hoist(place: Place, node: ast.ListComp, statement: ast.stmt) -> bool:
    """Compute a comprehension in a loop above its statement."""
    name = free_name(place.function.node, "results", "values", "found")
    place.work.lowered.add(node)

    def insert(emit: Emit) -> None:
        element = element_part(place.work, emit, node.elt)
        emit.file.insert_before(statement, loop_template(f"{name} = []", name, node, element), code=CODE)

    place.draft.act(place.module, place.node, insert)
    place.replace(node, lambda _emit: name, rule=CODE)
    return True


def _loop(node: ast.ListComp, statement: ast.stmt, element: Part) -> Part | None:
    """Write ``name = [...]``, ``return [...]`` or ``[...]`` as a loop."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
            return loop_template(f"{name} = []", name, node, element)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if value is node:
            return loop_template(code("{}: {} = []", name, annotation), name, node, element)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value) if value is node:
            return None if _says(node, name) else loop_template(None, name, node, element)
        case ast.Expr(value=value) if value is node:
            return loop_template(None, None, node, element)
        case ast.Return(value=value) if value is node:
            return code("{}\nreturn results", loop_template("results = []", "results", node, element))
    return None


def _says(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


def loop_template(first: Part | None, name: str | None, node: ast.ListComp | ast.GeneratorExp, element: Part) -> Part:
    """Write a comprehension as a loop.

    Args:
        first: statement above the loop.
        name: list that takes the elements; None if nobody wants them.
        node: the comprehension.
        element: new code of one element.
    """
    generator = node.generators[0]
    lines = [] if first is None else ["{first}"]
    lines.append("for {target} in {iterable}:")
    depth = "    "
    holes: dict[str, Part] = {"target": generator.target, "iterable": generator.iter, "element": element}
    if first is not None:
        holes["first"] = first
    for index, condition in enumerate(generator.ifs):
        lines.append(f"{depth}if {{condition{index}}}:")
        holes[f"condition{index}"] = condition
        depth += "    "
    lines.append(f"{depth}{name}.append({{element}})" if name else f"{depth}{{element}}")
    return code("\n".join(lines), **holes)
