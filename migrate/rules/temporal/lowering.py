"""Comprehensions that hold a durable expression become loops, because no ``yield`` may stand in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, TypeAlias

from migrate.plan.fragments import Part, code
from migrate.rules.temporal.trees import (
    COMPREHENSIONS,
    free_name,
    header_of,
    is_evaluated_first,
    is_inside,
    loop_names_are_free,
    statement_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place, Work

Lowered: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp
#: Writes one part of an element: as it is, or built anew.
Writer: TypeAlias = "Callable[[ast.expr], Part]"

#: Code of the rule that explains the loops.
CODE: Final = "RM130"
_EMPTY: Final = {ast.ListComp: "[]", ast.SetComp: "set()", ast.DictComp: "{{}}"}


def lower_comprehension(place: Place, site: ast.expr) -> bool:
    """Turn the comprehension around a durable expression into a loop, if there is one and that is possible.

    Returns:
        Whether the place is taken care of; False also where there is no comprehension.
    """
    found = is_inside(place.module, site, (*COMPREHENSIONS, ast.Lambda), place.function.node)
    if found in place.work.lowered:
        return True
    if not isinstance(found, (ast.ListComp, ast.SetComp, ast.DictComp)) or not _is_plain(place, found):
        return False
    statement = statement_of(place.module, found)
    if _loop(found, statement, lambda part: part) is None:
        return _may_go_before(place, found, statement) and _hoist(place, found, statement)
    place.work.lowered.add(found)

    def make(emit: Emit) -> Part:
        loop = _loop(found, statement, lambda part: element_part(place.work, emit, part))
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
        return code("yield {}" + work.endings.get(node, ""), maker(emit, True))
    return maker(emit, begin)


def _is_plain(place: Place, node: Lowered) -> bool:
    """Tell whether a comprehension can be a loop: it stands in no other, and leaks no name that matters."""
    function = place.function.node
    if any(one.is_async for one in node.generators):
        return False
    if is_inside(place.module, node, COMPREHENSIONS, function) is not None:
        return False
    statement = statement_of(place.module, node)
    return loop_names_are_free(place.module, function, [one.target for one in node.generators], statement)


def _may_go_before(place: Place, node: Lowered, statement: ast.stmt) -> bool:
    """Tell whether a comprehension may be computed before the rest of its statement."""
    header = header_of(place.module, statement)
    if header is None or not is_evaluated_first(place.module, node, statement):
        return False
    inside = set(ast.walk(node))
    others = [one for part in header for one in ast.walk(part) if one not in inside]
    return not any(isinstance(one, ast.Await) for one in others)


def _hoist(place: Place, node: Lowered, statement: ast.stmt) -> bool:
    """Compute a comprehension in a loop above its statement."""
    name = free_name(place.function.node, "results", "values", "found")
    place.work.lowered.add(node)

    def insert(emit: Emit) -> None:
        loop = collecting_loop(_first(name, node), name, node, lambda part: element_part(place.work, emit, part))
        emit.file.insert_before(statement, loop, code=CODE)

    place.draft.act(place.module, place.node, insert)
    place.replace(node, lambda _emit: name, rule=CODE)
    return True


def _first(name: str, node: Lowered) -> Part:
    return code(f"{name} = {_EMPTY[type(node)]}")


def _loop(node: Lowered, statement: ast.stmt, write: Writer) -> Part | None:
    """Write ``name = [...]``, ``return [...]`` or ``[...]`` as a loop."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node and not _says(node, name):
            return collecting_loop(_first(name, node), name, node, write)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if (
            value is node and not _says(node, name)
        ):
            first = code(f"{{}}: {{}} = {_EMPTY[type(node)]}", name, annotation)
            return collecting_loop(first, name, node, write)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=ast.ListComp() as value) if value is node:
            return None if _says(node, name) else collecting_loop(None, name, node, write)
        case ast.Expr(value=value) if value is node:
            return collecting_loop(None, None, node, write)
        case ast.Return(value=value) if value is node:
            return code("{}\nreturn results", collecting_loop(_first("results", node), "results", node, write))
    return None


def _says(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


def collecting_loop(first: Part | None, name: str | None, node: Lowered, write: Writer) -> Part:
    """Write a comprehension as a loop that fills ``name``, or that only computes if nobody wants the elements."""
    if isinstance(node, ast.DictComp):
        pair = {"key": write(node.key), "value": write(node.value)}
        return _written_out(first, node, f"{name}[{{key}}] = {{value}}" if name else "{key}, {value}", pair)
    verb = "append" if isinstance(node, ast.ListComp) else "add"
    last = f"{name}.{verb}({{element}})" if name else "{element}"
    return _written_out(first, node, last, {"element": write(node.elt)})


def loop_template(first: Part | None, name: str | None, node: ast.ListComp | ast.GeneratorExp, element: Part) -> Part:
    """Write a comprehension as a loop that appends.

    Args:
        first: statement above the loop.
        name: list that takes the elements; None if nobody wants them.
        node: the comprehension.
        element: new code of one element.
    """
    return _written_out(first, node, f"{name}.append({{element}})" if name else "{element}", {"element": element})


def _written_out(first: Part | None, node: Lowered | ast.GeneratorExp, last: str, parts: dict[str, Part]) -> Part:
    lines = [] if first is None else ["{first}"]
    holes = dict(parts) if first is None else {**parts, "first": first}
    depth = ""
    for number, generator in enumerate(node.generators):
        lines.append(f"{depth}for {{target{number}}} in {{iterable{number}}}:")
        holes |= {f"target{number}": generator.target, f"iterable{number}": generator.iter}
        depth += "    "
        for index, condition in enumerate(generator.ifs):
            lines.append(f"{depth}if {{condition{number}_{index}}}:")
            holes[f"condition{number}_{index}"] = condition
            depth += "    "
    lines.append(depth + last)
    return code("\n".join(lines), **holes)
