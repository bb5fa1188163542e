"""RM557: a handler in a workflow's body that catches everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM557",
    title="A handler catches cancellation and the end of the generator",
    family="semantics",
    level="review",
    applicability="review",
    what="""\
A bare `except:` or `except BaseException:` in a body that becomes a generator. It catches the cancellation that the
runtime throws in, as it caught DBOS's under DBOS; and it also catches GeneratorExit, with which a suspended body is put
away. A body that goes on after that, with another durable call, is an error.""",
    why="A suspended generator is closed where DBOS's thread simply ended with its process.",
    action="Catch Exception, and use finally for what has to happen in any case.",
    minutes=5,
)


def survey(facts: Facts, module: Module, node: ast.ExceptHandler) -> None:
    """Note a handler for everything."""
    if node.type is not None and facts.project.external(module, node.type) != "builtins.BaseException":
        return
    if facts.place(module, node) != "workflow" or not facts.is_durable_at(module, node):
        return
    message = "this handler catches GeneratorExit too, with which a suspended workflow is put away"
    facts.tell(facts.at(module, node), RULE.code, "review", message, RULE.action)
