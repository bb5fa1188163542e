"""RM270: classes that hold workflows and steps."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import keyword, statement_of
from migrate.rules.dbos.vocabulary import DBOS_CLASS, INSTANCE

if TYPE_CHECKING:
    from migrate.index.model import Definition
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts, Marked

RULE: Final = Rule(
    code="RM270",
    title="Classes with steps and static workflows lose only their base",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
`@DBOS.dbos_class()` and the base `DBOSConfiguredInstance` go; `super().__init__(config_name=x)` becomes
`self.config_name = x`. Steps that are methods are run as `ctx.run(self.fetch, url)`. A workflow that is a static
method keeps its registered name `Class.method` and is registered where the program starts. Workflows that are
instance or class methods stay on DBOS.""",
    why="An execution that is recovered elsewhere must find its function by name; an instance is not in the record.",
    action="Make the workflow a function or static method, and give it what it needs of the instance as arguments.",
    minutes=30,
)


def survey(facts: Facts) -> None:
    """Note the classes."""
    for definition in facts.project.definitions():
        if isinstance(definition.node, ast.ClassDef):
            _survey_class(facts, definition)
    for mark in facts.workflows():
        _survey_method(facts, mark)


def _survey_class(facts: Facts, definition: Definition) -> None:
    node, module = definition.node, definition.module
    assert isinstance(node, ast.ClassDef)
    decorator = facts.project.decorator(definition, DBOS_CLASS)
    base = next((one for one in node.bases if facts.project.external(module, one) == INSTANCE), None)
    if decorator is None and base is None:
        return
    at = facts.at(module, node)
    for mark in facts.marked.values():
        if mark.definition.parent is definition:
            facts.survey.link(at.unit, mark.unit)
    for place in (decorator, base):
        if place is not None:
            facts.claim(place)
            facts.later(at, lambda job, place=place: at.file(job).remove(place, code=RULE.code))  # type: ignore[misc]
    if base is not None:
        facts.later(at, lambda job: _edit_init(job, at, node))


def _edit_init(job: Job, at: At, node: ast.ClassDef) -> None:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
            name = keyword(call, "config_name", 0) or keyword(call, "instance_name")
            statement = statement_of(at.module, call)
            if name is not None and isinstance(statement, ast.Expr):
                at.file(job).replace(statement, code("self.config_name = {}", name), code=RULE.code)


def _survey_method(facts: Facts, mark: Marked) -> None:
    owner = mark.definition.parent
    if owner is None or not isinstance(owner.node, ast.ClassDef):
        return
    if facts.project.decorator(mark.definition, "builtins.staticmethod") is not None:
        facts.statics.append(mark)
        return
    message = f"workflow {mark.definition.name} is a method, and an instance is not in the record"
    facts.stay(facts.at_mark(mark), RULE, message)


def registrations(job: Job, facts: Facts, at: At, client: str) -> list[str]:
    """Return the statements that register static workflows where the program starts."""
    lines = []
    for mark in facts.statics:
        if job.converts(mark.unit):
            owner = mark.definition.parent
            assert owner is not None
            shown = owner.name if owner.module is at.module else at.file(job).name(owner.qualname)
            lines.append(f"{client}.register({shown}.{mark.definition.name})")
    return lines
