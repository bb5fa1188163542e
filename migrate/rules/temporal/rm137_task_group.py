"""RM137: ``asyncio.TaskGroup`` in workflow code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, Part, block, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.trees import free_name, own_nodes

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM137",
    title="Group of tasks",
    family="temporal",
    level="manual",
    applicability="review",
    what="""`async with asyncio.TaskGroup() as group:` goes: `group.create_task(work)` becomes `yield
ctx.begin_run(...)`, and after the block `yield ctx.gather(...)` waits for all of them.""",
    why="The loop of asyncio does not run in a durable function.",
    action="Keep each task of the group in a variable or in one list, and use the group for nothing else.",
    minutes=20,
)
GROUP: Final = "asyncio.TaskGroup"
CREATE: Final = f"{GROUP}.create_task"


def convert(place: Place) -> None:
    """Convert one group with everything that is created in it."""
    item = place.parent
    around = place.module.parents.get(item) if isinstance(item, ast.withitem) else None
    if not isinstance(around, ast.AsyncWith) or len(around.items) != 1 or place.call.args or place.call.keywords:
        place.block(RULE.code, "the group is not the only thing of an async with statement", RULE.action)
        return
    name = around.items[0].optional_vars
    tasks = _tasks(place, around, name.id) if isinstance(name, ast.Name) else None
    if tasks is None or any(isinstance(one, ast.TryStar) for one in own_nodes(place.function.node)):
        place.block(RULE.code, "the group is used for more than tasks that are kept, or its errors are", RULE.action)
        return
    _convert(place, around, tasks)


def _tasks(place: Place, around: ast.AsyncWith, name: str) -> list[ast.Call] | None:
    """Return the calls of ``create_task``, if they are all that is done with the group."""
    found: list[ast.Call] = []
    for one in ast.walk(place.function.node):
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load):
            made = _created(place, one)
            if made is None:
                return None
            found.append(made)
    inside = set(ast.walk(around))
    return found if found and all(one in inside for one in found) else None


def _created(place: Place, group: ast.Name) -> ast.Call | None:
    """Return ``group.create_task(work())``, if that is what is said of the group here."""
    attribute = place.module.parents.get(group)
    made = place.module.parents.get(attribute) if isinstance(attribute, ast.Attribute) else None
    match made:
        case ast.Call(func=ast.Attribute(attr="create_task") as function, args=[ast.Call()]) if function is attribute:
            is_plain = all(keyword.arg == "name" for keyword in made.keywords)
            return made if is_plain and place.module.function_around(made) is place.function else None
    return None


def _convert(place: Place, around: ast.AsyncWith, tasks: list[ast.Call]) -> None:
    module = place.module
    forgotten = [one for one in tasks if isinstance(module.parents.get(one), ast.Expr)]
    kept = [_kept(place, one) for one in tasks if one not in forgotten]
    if None in kept:
        place.block(RULE.code, "a task of the group is kept where it cannot be found again", RULE.action)
        return
    begun = free_name(place.function.node, "begun", "tasks")
    place.helper(RULE.code)
    place.use_ctx()
    place.claim()
    place.draft.survey.handled.add(around)
    for one in tasks:
        inner = one.args[0]
        place.work.modes[inner] = "begin"
        place.work.taken.add(one)
        place.draft.claim(one.func)
        place.site(one)
        template = f"{begun}.append((yield {{}}))" if one in forgotten else "yield {}"
        place.replace(one, lambda _emit, inner=inner, template=template: code(template, inner), rule=RULE.code)  # type: ignore[misc]
    message = "the first error is raised by itself, not in an ExceptionGroup, and the other tasks are not cancelled"
    place.draft.note(module, place.node, RULE.code, "review", message, "Look which handlers see it.")
    wanted = list(dict.fromkeys(str(one) for one in kept)) + ([f"*{begun}"] if forgotten else [])

    def make(emit: Emit) -> Part:
        wait = code("yield {}", call(f"{emit.ctx(place.node)}.gather", *wanted))
        return block(*([f"{begun} = []"] if forgotten else []), Body(around), wait)

    place.replace(around, make, rule=RULE.code)


def _kept(place: Place, task: ast.Call) -> str | None:
    """Return how the task is reached after the block: by its name, or in a list."""
    parent = place.module.parents.get(task)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) if _is_bound_once(place, name):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append")):
            return f"*{name}"
        case ast.ListComp(elt=element) if element is task:
            around = place.module.parents.get(parent)
            if isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
                return f"*{around.targets[0].id}"
    return None


def _is_bound_once(place: Place, name: str) -> bool:
    return len(place.function.inner.bindings.get(name, [])) == 1
