"""RM509: handlers in workflow code that catch everything."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.trees import own_nodes

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.rules.temporal.draft import Draft

RULE: Final = Rule(
    code="RM509",
    title="Handler that catches cancellation and the end of the generator",
    family="semantics",
    level="review",
    applicability="review",
    what="""A bare `except:` or `except BaseException:` around an await. As on Temporal it sees a cancellation and a
continue-as-new. Here it also sees GeneratorExit, with which a suspended function is put away, and may then do nothing
durable.""",
    why="Temporal lets a workflow that leaves memory end silently; a generator is closed where it waits.",
    action="Catch Exception, or Cancelled too; use finally for what has to happen in any case.",
)


def note(draft: Draft, function: Definition) -> None:
    """Say where a handler catches everything around an await."""
    for node in own_nodes(function.node):
        if not isinstance(node, ast.Try) or not _awaits(node.body):
            continue
        for handler in node.handlers:
            if handler.type is None or draft.external(function.module, handler.type) == "builtins.BaseException":
                message = "this handler catches GeneratorExit too, with which a suspended workflow is put away"
                draft.note(function.module, handler, RULE.code, "review", message, RULE.action)


def _awaits(body: list[ast.stmt]) -> bool:
    return any(isinstance(one, ast.Await) for statement in body for one in ast.walk(statement))
