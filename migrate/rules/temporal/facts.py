"""What a project has of Temporal: activities, workflow classes, and the calls between them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.index.model import Definition, Module
    from migrate.index.project import Project
    from migrate.plan.survey import Unit
    from migrate.rules.temporal.draft import Draft
    from migrate.rules.temporal.option_sources import Options

ACTIVITY_DEFN: Final = "temporalio.activity.defn"
WORKFLOW_DEFN: Final = "temporalio.workflow.defn"
RUN: Final = "temporalio.workflow.run"
INIT: Final = "temporalio.workflow.init"
HANDLERS: Final = {
    "temporalio.workflow.signal": "signal",
    "temporalio.workflow.query": "query",
    "temporalio.workflow.update": "update",
}
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(eq=False)
class Activity:
    """A function or method that ``@activity.defn`` marks.

    Attributes:
        name: registered name; "" for a dynamic activity.
        calls: calls of it from workflows, by reference or by a name that is plain to see.
    """

    definition: Definition
    decorator: ast.expr
    unit: Unit
    name: str
    calls: list[ActivityCall] = field(default_factory=list)

    @property
    def module(self) -> Module:
        """File it stands in."""
        return self.definition.module


@dataclass(eq=False)
class ActivityCall:
    """One ``workflow.execute_activity(...)`` or one of its relatives.

    Attributes:
        verb: last part of the SDK's name.
        target: expression that says which activity.
        activity: the activity, if the project has it.
        name: its registered name if the call says it as text.
        args: arguments of the activity, in order; None if ``args=`` is no list display.
        args_node: what ``args=`` says.
        options: the other keyword arguments.
        splats: what ``**`` unpacks into the options.
        unpacked: what these are found to hold.
        limit: time limit that stands around the call.
    """

    module: Module
    node: ast.Call
    verb: str
    target: ast.expr
    activity: Activity | None
    name: str | None
    args: list[ast.expr] | None
    args_node: ast.expr | None
    options: dict[str, ast.expr]
    splats: list[ast.expr]
    is_wrapped: bool = False
    unpacked: list[Options] = field(default_factory=list)
    limit: ast.expr | None = None

    @property
    def is_start(self) -> bool:
        """Whether the call gives a handle at once."""
        return self.verb.startswith("start_")


@dataclass(eq=False)
class Workflow:
    """A class that ``@workflow.defn`` marks, with what it inherits.

    Attributes:
        entry: the method that ``@workflow.run`` marks.
        handlers: (kind, method) of signals, queries and updates, inherited ones included.
        line: the class and its bases in the project, in look-up order.
        function_name: name of the function it becomes; "" if it stays a class.
    """

    definition: Definition
    decorator: ast.expr
    unit: Unit
    name: str
    entry: Definition
    handlers: list[tuple[str, Definition]]
    line: list[Definition]
    function_name: str = ""

    @property
    def module(self) -> Module:
        """File it stands in."""
        return self.definition.module


@dataclass
class Facts:
    """Everything of Temporal that a project defines.

    Attributes:
        followed: mentions of workflow classes that some rule rewrites.
    """

    activities: dict[Definition, Activity] = field(default_factory=dict)
    by_name: dict[str, list[Activity]] = field(default_factory=dict)
    workflows: dict[Definition, Workflow] = field(default_factory=dict)
    workflow_names: dict[str, list[Workflow]] = field(default_factory=dict)
    entries: dict[Definition, list[Workflow]] = field(default_factory=dict)
    calls: dict[ast.Call, ActivityCall] = field(default_factory=dict)
    followed: set[ast.AST] = field(default_factory=set)


def keyword_of(node: ast.expr, name: str) -> ast.expr | None:
    """Return the value of a keyword argument, if ``node`` is a call that has it."""
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == name:
                return keyword.value
    return None


def find_activities(draft: Draft, facts: Facts) -> None:
    """Collect the activities of the project."""
    for definition in draft.project.definitions():
        if not isinstance(definition.node, FUNCTIONS):
            continue
        decorator = draft.project.decorator(definition, ACTIVITY_DEFN)
        if decorator is None:
            continue
        name = _registered_name(draft, definition, decorator)
        unit = _own_unit(draft, definition, "step", name)
        activity = Activity(definition, decorator, unit, name)
        facts.activities[definition] = activity
        facts.by_name.setdefault(name, []).append(activity)


def _own_unit(draft: Draft, definition: Definition, kind: str, name: str) -> Unit:
    if definition.parent is None:
        assert kind in ("step", "workflow")
        return draft.named_unit(definition.owner, definition.module, definition.node, kind=kind, name=name)  # type: ignore[arg-type]
    return draft.unit(definition.module, definition.node)


def _registered_name(draft: Draft, definition: Definition, decorator: ast.expr) -> str:
    said = keyword_of(decorator, "name")
    if said is None:
        return definition.name
    return draft.project.string(definition.module, said) or definition.name


def find_workflows(draft: Draft, facts: Facts) -> None:
    """Collect the workflow classes of the project."""
    project = draft.project
    for definition in project.definitions():
        if not isinstance(definition.node, ast.ClassDef):
            continue
        decorator = project.decorator(definition, WORKFLOW_DEFN)
        if decorator is None:
            continue
        line = [one for one in project.classes.mro(definition) if not isinstance(one, str)]
        entry = _entry(project, definition)
        if entry is None:
            continue  # an abstract base, or code that never ran; the leftovers report it
        name = _registered_name(draft, definition, decorator)
        unit = _own_unit(draft, definition, "workflow", name)
        if definition.parent is not None:
            draft.survey.nested.append((name, definition, unit))
        handlers = list(_handlers(project, definition))
        workflow = Workflow(definition, decorator, unit, name, entry, handlers, line)
        facts.workflows[definition] = workflow
        facts.workflow_names.setdefault(name, []).append(workflow)
        facts.entries.setdefault(entry, []).append(workflow)


def _entry(project: Project, definition: Definition) -> Definition | None:
    for method in project.classes.members(definition):
        if isinstance(method.node, FUNCTIONS) and project.decorator(method, RUN) is not None:
            return method
    return None


def _handlers(project: Project, definition: Definition) -> Iterator[tuple[str, Definition]]:
    for method in project.classes.members(definition):
        if not isinstance(method.node, FUNCTIONS):
            continue
        for node, meaning in project.decorators(method):
            if meaning is None or meaning.kind != "external":
                continue
            name = meaning.name.removesuffix(".dynamic")
            if name in HANDLERS:
                yield HANDLERS[name], method
            elif isinstance(node, ast.Attribute) and node.attr == "validator":
                yield "validator", method


def own_statements(definition: Definition) -> list[ast.stmt]:
    """Return the body of a class or function without its docstring."""
    body = definition.node.body
    return body[1:] if is_docstring(body[0]) else list(body)


def is_docstring(statement: ast.stmt) -> bool:
    """Tell whether a statement is a text that stands alone."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def snake_case(name: str) -> str:
    """Turn ``HTTPFetchWorkflow`` into ``http_fetch_workflow``."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", spaced).lower()
