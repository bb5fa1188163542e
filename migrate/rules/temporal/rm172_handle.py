"""RM172: handles of executions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.calls import argument_parts, read_arguments

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

RULE: Final = Rule(
    code="RM172",
    title="Handle of an execution",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`await handle.result()` becomes `await handle`; `signal`, `query`, `execute_update`, `cancel`,
`terminate` and `describe` are found under `handle.aio`.""",
    why="A handle has a blocking and an async form of every call.",
    action="Use the id of the execution; runs of one id have no names of their own.",
    minutes=10,
)
HANDLE: Final = "temporalio.client.WorkflowHandle"
#: Methods with their counterparts.
METHODS: Final = {
    "signal": "signal",
    "query": "query",
    "execute_update": "update",
    "cancel": "cancel",
    "terminate": "terminate",
    "describe": "describe",
}
_DROPPED: Final = frozenset({"rpc_metadata", "rpc_timeout", "result_type"})


def convert_call(draft: Draft, module: Module, node: ast.Call, name: str) -> None:
    """Convert a call of a handle's method."""
    assert isinstance(node.func, ast.Attribute)
    receiver = node.func.value
    last = name.rpartition(".")[2]
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg not in _DROPPED}
    if last == "result" and not said and not node.args:
        awaited = isinstance(module.parents.get(node), ast.Await)
        template = "{}" if awaited else "{}.aio.result()"
        draft.act(module, node, lambda emit: emit.file.replace(node, code(template, receiver), code=RULE.code))
        return
    positional = list(node.args)
    plain = {str(key): value for key, value in said.items() if key is not None}
    arguments, args_node = read_arguments(positional, plain)
    if last == "execute_update":
        plain.pop("id", None)
    if last not in METHODS or plain or None in said:
        what = f"handle.{last}({next(iter(plain))}=...)" if plain else f"handle.{last}(...)"
        draft.block(module, node, RULE.code, f"{what} has no counterpart", RULE.action)
        return
    given = argument_parts(arguments, args_node, before=positional)

    def make(_emit: Emit) -> Part:
        return call(code("{}.aio." + METHODS[last], receiver), *given)

    draft.act(module, node, lambda emit: emit.file.replace(node, make(emit), code=RULE.code))


def convert_attribute(draft: Draft, module: Module, node: ast.expr, name: str) -> None:
    """Check an attribute of a handle."""
    last = name.rpartition(".")[2]
    if last != "id":
        draft.block(module, node, RULE.code, f"handle.{last} has no counterpart", RULE.action)
