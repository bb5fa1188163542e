"""RM140: signal handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.handlers import convert_decorator

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Definition
    from migrate.rules.temporal.place import Work

RULE: Final = Rule(
    code="RM140",
    title="Signal handler",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`@workflow.signal` becomes `@signal`. A handler that only stores something keeps its body. A handler
that awaits becomes a generator that takes `ctx` after `self` and runs beside the entry, switching only at a yield.""",
    why="Messages are durable: they wait in the execution's inbox and are handled in the order they came.",
    action="Give the signal a fixed name, and handle each signal in a method of its own.",
    minutes=15,
)
SIGNAL: Final = "temporalio.workflow.signal"


def convert(work: Work, method: Definition, decorator: ast.expr) -> None:
    """Convert one handler's decorator."""
    convert_decorator(work, method, decorator, "signal", RULE.code)
