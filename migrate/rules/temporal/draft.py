"""What the rules would do, collected before anything is decided.

The survey visits every place once. Each rule claims the SDK names that it explains, says what the place needs, and
leaves an action: a function that records the edits when the plan has decided that the unit converts. So every
decision is taken while looking, and editing only writes down what was decided.

A unit is a top-level definition, a module-level constant or the rest of a module's body. Units that mention each
other share their fate: a project is never left with one half on each side.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.index.build import starts_with_name
from migrate.plan.fragments import code
from migrate.plan.naming import free_names
from migrate.plan.survey import Survey, finding_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate.findings import Finding, Level, Tier
    from migrate.index.model import Module
    from migrate.index.project import Project
    from migrate.plan.edits import FileEdits
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit, UnitKind

#: What names of the SDK start with.
SDK: Final = "temporalio."


@dataclass(frozen=True)
class Emit:
    """What an action gets to record its edits with.

    Attributes:
        job: the run.
        file: edits of the file, in the name of the unit.
        module: the file.
    """

    job: Job
    file: FileEdits
    module: Module

    def ctx(self, node: ast.AST) -> str:
        """Return the name of the context parameter around ``node``."""
        return self.job.ctx(self.module, node)

    def core(self, name: str, *, typing_only: bool = False) -> str:
        """Return the local name of something of the runtime, importing it."""
        return self.file.name(f"resonate_core.{name}", typing_only=typing_only)


@dataclass
class TemporalSurvey(Survey):
    """A survey that remembers the actions of the rules.

    Attributes:
        serving: what is said about places that stay, where they serve rewritten workflows.
        marks: what adds the mark of a step to an activity, by unit of the activity.
        entries: mentions of the entry of a workflow that becomes a function: unit of the workflow, unit of the mention,
            file and place.
    """

    actions: list[tuple[Unit, Module, Callable[[Emit], None]]] = field(default_factory=list)
    serving: dict[Unit, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[Unit, list[tuple[Module, ast.AST, Callable[[Emit], None]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    entries: list[tuple[Unit, Unit, Module, ast.Attribute]] = field(default_factory=list)
    notes: dict[Unit, list[tuple[Module, ast.AST, str, Level, str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )


class Draft:
    """The state of one survey."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.survey = TemporalSurvey()
        self.claimed: set[ast.AST] = set()
        self._units: dict[str, Unit] = {}
        self._linked: set[tuple[int, int]] = set()
        self._marked: set[tuple[ast.AST, str]] = set()
        self.mentions: set[tuple[Unit, Unit]] = set()

    # -- units

    def unit(self, module: Module, node: ast.AST) -> Unit:
        """Return the unit that ``node`` belongs to, making it if need be."""
        key, anchor = self._key(module, node)
        return self.named_unit(key, module, anchor)

    def named_unit(
        self, key: str, module: Module, anchor: ast.AST, *, kind: UnitKind = "other", name: str = ""
    ) -> Unit:
        """Return the unit of a key; the first call says its kind and name."""
        if key not in self._units:
            definition = module.definitions.get(anchor)
            self._units[key] = self.survey.unit(kind, name or key, module, anchor, definition)
        return self._units[key]

    def unit_named(self, key: str) -> Unit | None:
        """Return the unit of a key, if it exists."""
        return self._units.get(key)

    def known_unit(self, module: Module, node: ast.AST) -> Unit | None:
        """Return the unit that ``node`` belongs to, if something was found in it."""
        return self._units.get(self._key(module, node)[0])

    def _key(self, module: Module, node: ast.AST) -> tuple[str, ast.AST]:
        definition = module.definition_around(node)
        if definition is not None:
            while definition.parent is not None:
                definition = definition.parent
            return definition.owner, definition.node
        statement = top_statement(module, node)
        name = constant_name(statement)
        if name is not None:
            return f"{module.name}:{name}", statement
        return f"{module.name}:<module>", module.tree

    def link(self, first: Unit, second: Unit) -> None:
        """Say that two units share their fate, because the first says something about the second."""
        self.mentions.add((first, second))
        pair = (min(id(first), id(second)), max(id(first), id(second)))
        if first is not second and pair not in self._linked:
            self._linked.add(pair)
            self.survey.link(first, second)

    # -- what rules say

    def claim(self, *nodes: ast.AST | None) -> None:
        """Explain every SDK name in these subtrees."""
        for node in nodes:
            if node is not None:
                self.claimed.update(ast.walk(node))

    def act(self, module: Module, node: ast.AST, action: Callable[[Emit], None]) -> None:
        """Leave an action for the unit of ``node``."""
        self.survey.actions.append((self.unit(module, node), module, action))

    def need(self, module: Module, node: ast.AST, tier: Tier, code: str) -> None:
        """Say that a place needs a helper."""
        self.unit(module, node).need(tier, code, node, module=module)

    def block(self, module: Module, node: ast.AST, code: str, message: str, action: str) -> None:
        """Say that a place cannot be converted; the unit and what hangs on it stay as they are."""
        self.claim(node)
        self.unit(module, node).need("manual", code, node, message, action, module=module)

    def note(  # noqa: PLR0917 - the order of a finding's fields
        self, module: Module, node: ast.AST, code: str, level: Level, message: str, action: str = ""
    ) -> None:
        """Say something about a place, if it is converted."""
        self.survey.notes[self.unit(module, node)].append((module, node, code, level, message, action))

    def mark(self, module: Module, node: ast.AST, code: str, text: str) -> None:
        """Leave a marker above the statement around a place where a person must act, once for each code."""
        chain = [node, *module.ancestors(node)]
        statement = next((one for one in chain if isinstance(one, ast.stmt)), None)
        if statement is not None and (statement, code) not in self._marked:
            self._marked.add((statement, code))
            self.act(module, node, lambda emit: emit.file.mark(statement, text, code=code))

    # -- what things are

    def external(self, module: Module, node: ast.AST | None) -> str:
        """Return the dotted external name of an expression, or ""."""
        return self.project.external(module, node)

    def is_alias(self, module: Module, node: ast.expr) -> bool:
        """Tell whether a chain starts at a variable that holds something of the SDK itself, not an object of it."""
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            return False
        found = self.project.resolve(module, root)
        if found is None or found.kind != "external":
            return False
        scope = module.scope_of.get(root)
        while scope is not None and (root.id not in scope.bindings or scope.kind == "class"):
            scope = scope.parent
        return scope is not None and any(one.kind != "import" for one in scope.bindings[root.id])

    def resolver(self, module: Module) -> Callable[[ast.expr], str]:
        """Return ``external`` for one file."""
        return lambda node: self.project.external(module, node)


#: Notes that hold for a worker of the shim too, where it serves what is rewritten.
_LIMIT: Final = "RM515"


def edit(job: Job) -> None:
    """Run the actions of every unit that converts, and say what was noted about it."""
    survey = job.survey
    assert isinstance(survey, TemporalSurvey)
    free_names(job)
    for unit, module, action in survey.actions:
        if job.converts(unit):
            action(Emit(job, job.file(module, unit), module))
    _carry(job, survey)
    for unit, user, module, entry in survey.entries:
        if job.converts(unit) and not job.converts(user):  # else the rules of its place see to it
            job.file(module, unit).replace(entry, code("{}", entry.value), code="RM110")
    _say(job, survey)


def _say(job: Job, survey: TemporalSurvey) -> None:
    """Say what was noted about what converts, and about what stays and serves it."""
    serving = {job.groups.name(user) for user, used in job.groups.bridged() if used.kind == "workflow"}
    for unit, notes in survey.notes.items():
        is_serving = not job.converts(unit) and job.groups.name(unit) in serving
        for module, node, rule, level, message, advice in notes:
            if is_serving and rule == _LIMIT:
                said = f"counts for workflows of the shim alone; of rewritten ones: {message}"
                job.findings.append(finding_at(module, node, rule, level, said, advice))
            elif job.converts(unit):
                job.findings.append(finding_at(module, node, rule, level, message, advice))
    for unit, findings in survey.serving.items():
        if not job.converts(unit) and job.groups.name(unit) in serving:
            job.findings += findings


def _carry(job: Job, survey: TemporalSurvey) -> None:
    """Give activities that stay the mark of a step, in the name of a workflow that moves and calls them."""
    callers: dict[Unit, Unit] = {}
    for user, used in job.groups.carried():
        callers.setdefault(used, user)
    for unit, caller in callers.items():
        hold = job.groups.hold(unit)
        assert hold is not None, "a carried unit stays"
        for module, node, mark in survey.marks[unit]:
            mark(Emit(job, job.file(module, caller), module))
            message = f"keeps its code and runs on the shim, as a step of rewritten workflows: {hold.message}"
            job.report(module, node, "RM123", "review", message, "Nothing has to be done for it to run.")


def top_statement(module: Module, node: ast.AST) -> ast.AST:
    """Return the statement of the module's body that ``node`` stands in."""
    chain = [node, *module.ancestors(node)]
    return chain[-2] if len(chain) > 1 else node


def constant_name(statement: ast.AST) -> str | None:
    """Return the name of a module-level constant that a statement assigns."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return None


def mentions(module: Module) -> Iterator[ast.Name | ast.Attribute]:
    """Yield the outermost name or attribute chain of every expression, also where it starts at a call."""
    yield from module.references
    for node in module.sites:
        is_outermost = isinstance(node, ast.Attribute) and not isinstance(module.parents.get(node), ast.Attribute)
        if is_outermost and isinstance(node, ast.Attribute) and not starts_with_name(node):
            yield node
