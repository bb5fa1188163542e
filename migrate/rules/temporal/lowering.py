"""Comprehensions that hold a durable expression become loops, because no ``yield`` may stand in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, code
from migrate.rules.temporal.trees import COMPREHENSIONS, is_inside, loop_names_are_free, statement_of

if TYPE_CHECKING:
    from migrate.rules.temporal.place import Place

#: Code of the rule that explains the loops.
CODE: Final = "RM130"


def lower_comprehension(place: Place, site: ast.expr) -> bool:
    """Turn the list comprehension around a durable expression into a loop, if there is one and that is possible.

    Returns:
        Whether the place is taken care of; False also where there is no comprehension.
    """
    function = place.function.node
    found = is_inside(place.module, site, (*COMPREHENSIONS, ast.Lambda), function)
    if found is None:
        return False
    if found in place.work.lowered:
        return True
    statement = statement_of(place.module, found)
    if not isinstance(found, ast.ListComp) or len(found.generators) != 1 or found.generators[0].is_async:
        return False
    maker = _loop(found, statement)
    if maker is None or not loop_names_are_free(place.module, function, [found.generators[0].target], statement):
        return False
    if is_inside(place.module, found, COMPREHENSIONS, function) is not None:
        return False
    place.work.lowered.add(found)
    place.replace(statement, lambda _emit: maker, rule=CODE)
    return True


def _loop(node: ast.ListComp, statement: ast.stmt) -> Part | None:
    """Write ``name = [...]``, ``return [...]`` or ``[...]`` as a loop."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
            return loop_template(f"{name} = []", name, node, "{}")
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if value is node:
            return loop_template(code("{}: {} = []", name, annotation), name, node, "{}")
        case ast.Expr(value=value) if value is node:
            return loop_template(None, None, node, "{}")
        case ast.Return(value=value) if value is node:
            return code("{}\nreturn results", loop_template("results = []", "results", node, "{}"))
    return None


def loop_template(first: Part | None, name: str | None, node: ast.ListComp | ast.GeneratorExp, element: str) -> Part:
    """Write a comprehension as a loop.

    Args:
        first: statement above the loop.
        name: list that takes the elements; None if nobody wants them.
        node: the comprehension.
        element: template of one element.
    """
    generator = node.generators[0]
    lines = [] if first is None else ["{first}"]
    lines.append("for {target} in {iterable}:")
    depth = "    "
    holes: dict[str, Part] = {"target": generator.target, "iterable": generator.iter, "element": node.elt}
    if first is not None:
        holes["first"] = first
    for index, condition in enumerate(generator.ifs):
        lines.append(f"{depth}if {{condition{index}}}:")
        holes[f"condition{index}"] = condition
        depth += "    "
    inner = element.replace("{}", "{element}")
    lines.append(f"{depth}{name}.append({inner})" if name else f"{depth}{inner}")
    return code("\n".join(lines), **holes)
