"""RM180: tests that run an activity in an environment of its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Part, call
from migrate.rules.base import Rule

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

RULE: Final = Rule(
    code="RM180",
    title="Environments of tests",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`await ActivityEnvironment().run(charge, order)` becomes `await charge(order)`: a step is a plain
function that a test may call. Environments for workflows stay for a person, and what they test stays with them.""",
    why="A step needs no environment; heartbeats and its logger work outside of a worker too.",
    action="Test workflows against Resonate('memory:'), which needs no server and no environment.",
    minutes=20,
)
ENVIRONMENT: Final = "temporalio.testing.ActivityEnvironment"


def convert(draft: Draft, module: Module, node: ast.Call) -> None:
    """Convert ``env.run(f, x)``."""
    if not node.args or isinstance(node.args[0], ast.Starred):
        draft.block(module, node, RULE.code, "which activity is run is decided at run time", RULE.action)
        return
    function, *arguments = node.args

    def make(_emit: Emit) -> Part:
        return call(function, *arguments, *node.keywords)

    draft.act(module, node, lambda emit: emit.file.replace(node, make(emit), code=RULE.code))


def drop(draft: Draft, module: Module, node: ast.Call) -> None:
    """Take out the statement that makes an environment; ``ActivityEnvironment().run(...)`` goes with its call."""
    parent = module.parents.get(node)
    if isinstance(parent, ast.Attribute) and parent.attr == "run":
        draft.claim(node.func)
        return
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) if not node.args and _is_only_run(draft, module, parent, name):
            draft.claim(node.func)
            draft.act(module, node, lambda emit: emit.file.remove(parent, code=RULE.code))
        case _:
            message = "this environment is configured, or handed on"
            draft.block(module, node, RULE.code, message, RULE.action)


def _is_only_run(draft: Draft, module: Module, statement: ast.stmt, name: str) -> bool:
    function = module.function_around(statement)
    if function is None:
        return False
    for one in ast.walk(function.node):
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load):
            attribute = module.parents.get(one)
            called = module.parents.get(attribute) if isinstance(attribute, ast.Attribute) else None
            is_run = isinstance(called, ast.Call) and draft.external(module, called.func) == f"{ENVIRONMENT}.run"
            if not is_run:
                return False
    return True
