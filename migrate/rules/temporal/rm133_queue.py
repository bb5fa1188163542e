"""RM133: queues of asyncio in workflow code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Bare, Part, block, call, code, indented
from migrate.rules.base import Rule
from migrate.rules.temporal.trees import header_of, is_evaluated_first

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.place import Place

RULE: Final = Rule(
    code="RM133",
    title="asyncio.Queue as the state of a workflow",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""An `asyncio.Queue` without a limit becomes a `collections.deque`: `put` and `put_nowait` become `append`,
`get_nowait` becomes `popleft`, `await queue.get()` waits above its statement until there is something, `empty()`
becomes `not queue`, `qsize()` becomes `len(queue)`.""",
    why="A queue of asyncio belongs to an event loop; a durable function waits with ctx.wait_until.",
    action="Wait until the queue is not empty, then take what is there with get_nowait().",
    minutes=15,
)
QUEUE: Final = "asyncio.Queue"
#: Methods, with what their calls become.
METHODS: Final = {
    "put": "{queue}.append({value})",
    "put_nowait": "{queue}.append({value})",
    "get_nowait": "{queue}.popleft()",
    "empty": "not {queue}",
    "qsize": "len({queue})",
}
NAMES: Final = tuple(f"{QUEUE}.{name}" for name in (*METHODS, "get", "join", "task_done", "full"))


def convert_constructor(place: Place) -> None:
    """Convert ``asyncio.Queue()``."""
    if place.call.args or place.call.keywords:
        place.block(RULE.code, "this queue has a limit", RULE.action)
        return
    place.claim()
    function = place.call.func
    inner = function.value if isinstance(function, ast.Subscript) else function
    place.replace(inner, _deque, rule=RULE.code)


def convert_annotation(place: Place) -> None:
    """Convert ``asyncio.Queue`` in an annotation."""
    place.replace(place.node, _deque, rule=RULE.code)


def _deque(emit: Emit) -> Part:
    return emit.file.name("collections.deque")


def convert_method(place: Place) -> None:
    """Convert one call of a method."""
    node = place.call
    name = place.name.rpartition(".")[2]
    function = node.func
    awaited = place.awaited
    takes_value = name.startswith("put")
    if name == "get" and awaited is not None and isinstance(function, ast.Attribute) and not node.args:
        _convert_get(place, awaited, function.value)
        return
    if name not in METHODS or not isinstance(function, ast.Attribute) or (awaited is None) != (name != "put"):
        place.block(RULE.code, f"queue.{name}() waits, or waits for others", RULE.action)
        return
    if len(node.args) != takes_value or node.keywords:
        place.block(RULE.code, f"queue.{name}() takes other arguments", RULE.action)
        return
    queue = function.value
    outer: ast.expr = awaited or node
    parent = place.module.parents.get(outer)
    if name == "empty" and isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
        filled = code("{} > 0", call("len", queue))
        around = place.module.parents.get(parent)
        place.replace(parent, lambda _emit: Bare(filled) if isinstance(around, ast.BoolOp) else filled, rule=RULE.code)
        return
    value: Part = node.args[0] if takes_value else ""
    template = METHODS[name]
    if awaited is not None:
        place.draft.survey.handled.add(awaited)
    if takes_value:
        place.replace(outer, lambda _emit: code(template, queue=queue, value=value), rule=RULE.code)
    else:
        new = code(template, queue=queue)
        place.replace(outer, lambda _emit: Bare(new) if isinstance(parent, ast.BoolOp) else new, rule=RULE.code)


def _convert_get(place: Place, awaited: ast.Await, queue: ast.expr) -> None:
    """Wait above the statement until there is something, then take it."""
    statement = place.statement
    header = header_of(place.module, statement)
    inside = set(ast.walk(awaited))
    others = [one for part in header or () for one in ast.walk(part) if one not in inside]
    is_first = header is not None and is_evaluated_first(place.module, awaited, statement)
    if not is_first or any(isinstance(one, ast.Await) for one in others):
        place.block(RULE.code, "queue.get() waits in the middle of something else", RULE.action)
        return
    name = ast.unparse(queue)
    gets = [one for one in ast.walk(place.module.tree) if _is_get(one, name)]
    place.helper(RULE.code)
    place.use_ctx()
    place.draft.survey.site(place.module, awaited, handled=True)

    def insert(emit: Emit) -> None:
        wait = code("yield {}.wait_until(lambda: {})", emit.ctx(awaited), queue)
        # With several takers the first one that is woken may leave nothing for the second.
        lines = wait if len(gets) == 1 else block(code("while not {}:", queue), indented(wait))
        emit.file.insert_before(statement, lines, code=RULE.code)

    place.draft.act(place.module, awaited, insert)
    place.replace(awaited, lambda _emit: code("{}.popleft()", queue), rule=RULE.code)


def _is_get(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="get", value=queue)):
            return ast.unparse(queue) == name
    return False
