"""RM507: names of things that are not part of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft

RULE: Final = Rule(
    code="RM507",
    title="Called by a name that the project does not have",
    family="semantics",
    level="review",
    applicability="review",
    what="""A workflow or activity is called by its registered name, and nothing of this project has that name. The
call goes to Resonate from now on, and waits there until a worker has registered the name.""",
    why="What is called lives in another project, whose worker still asks Temporal for work.",
    action="Move the worker that has this name as well, before this program is switched over.",
)


def note(draft: Draft, module: Module, node: ast.AST, kind: str, name: str) -> None:
    """Say that something is called that the project does not have."""
    message = f"{kind} {name!r} is not part of this project: its worker must move to Resonate as well"
    draft.note(module, node, RULE.code, RULE.level, message, RULE.action)
