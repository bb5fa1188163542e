"""RM142: update handlers and their validators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.temporal.handlers import convert_decorator

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Definition
    from migrate.rules.temporal.place import Work

RULE: Final = Rule(
    code="RM142",
    title="Update handler",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`@workflow.update` becomes `@update`, `@name.validator` stays as it is. A handler that awaits becomes a
generator that takes `ctx` after `self`. A refused update tells its sender and changes nothing.""",
    why="An update is a message with an answer.",
    action="Give the update a fixed name, and handle each update in a method of its own.",
    minutes=15,
)
UPDATE: Final = "temporalio.workflow.update"


def convert(work: Work, method: Definition, decorator: ast.expr) -> None:
    """Convert one handler's decorator."""
    convert_decorator(work, method, decorator, "update", RULE.code)
