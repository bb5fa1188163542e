"""RM141: query handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.handlers import convert_decorator

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Definition
    from migrate.rules.temporal.place import Work

RULE: Final = Rule(
    code="RM141",
    title="Query handler",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`@workflow.query` becomes `@query`; the method keeps its body and still answers after the
execution has ended.""",
    why="A query reads the state of an execution and changes nothing.",
    action="Make the query a plain method with a fixed name.",
    minutes=10,
)
QUERY: Final = "temporalio.workflow.query"


def convert(work: Work, method: Definition, decorator: ast.expr) -> None:
    """Convert one handler's decorator."""
    if method.is_async:
        work.draft.block(method.module, method.node, RULE.code, "this query handler is async", RULE.action)
        return
    convert_decorator(work, method, decorator, "query", RULE.code)
