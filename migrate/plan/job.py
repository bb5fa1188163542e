"""What rules work with while they record edits: the plan's answers, and a place to put edits and findings."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.index.order import walk
from migrate.plan.edits import FileEdits, FilePlan
from migrate.plan.survey import finding_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.errors import FileProblem
    from migrate.findings import Finding, Level, Tier
    from migrate.index.model import Definition, FunctionNode, Module
    from migrate.index.project import Project
    from migrate.plan.colouring import Colour, Colouring
    from migrate.plan.groups import Groups
    from migrate.plan.survey import Survey, Unit, UnitKind

#: Name of the context parameter unless the function uses it for something else.
CONTEXT_NAMES = ("ctx", "resonate_ctx", "resonate_ctx_")


@dataclass(frozen=True)
class NewFile:
    """A file to create.

    Attributes:
        path: relative to the root.
        text: content.
        groups: groups that need it; it is made if one of them converts.
    """

    path: str
    text: str
    groups: frozenset[str]


class Job:
    """One run's edits in the making.

    Attributes:
        project: the index.
        source: name of the SDK's rules.
        survey: what the source found.
        colouring: which functions become generators.
        groups: which units move together, and which stay.
        plans: planned edits by path.
        new_files: files to create, by path.
        shimmed: held groups that move onto the shim, with the name of the group of their edits.
        requires: groups that move while others stay, with the edits that take those onto the shim.
        unshimmed: held groups that the shim cannot take, with what it does not have.
        left_out: groups that cannot be written although they could be planned, with a path and the reason.
        findings: what is said to the person, beyond what the survey said.
    """

    def __init__(
        self, project: Project, survey: Survey, colouring: Colouring, groups: Groups, *, source: str = ""
    ) -> None:
        self.source = source
        self.project = project
        self.survey = survey
        self.colouring = colouring
        self.groups = groups
        self.plans: dict[str, FilePlan] = {}
        self.findings: list[Finding] = []
        self.new_files: dict[str, NewFile] = {}
        self.left_out: dict[str, tuple[str, FileProblem]] = {}
        self.shimmed: dict[str, str] = {}
        self.unshimmed: dict[str, str] = {}
        self.requires: dict[str, set[str]] = defaultdict(set)
        self._contexts: dict[Definition, str] = {}

    # -- what converts

    def units(self, kind: UnitKind | None = None) -> Iterator[Unit]:
        """Yield the units that convert, in the order they were found."""
        for unit in self.survey.units:
            if self.groups.converts(unit) and kind in (None, unit.kind):
                yield unit

    def converts(self, unit: Unit) -> bool:
        """Tell whether a unit moves to Resonate in this run."""
        return self.groups.converts(unit)

    def tier(self, unit: Unit) -> Tier:
        """Return the unit's tier, blockers found by the colouring included."""
        return self.groups.tier(unit)

    def colour(self, definition: Definition) -> Colour | None:
        """Return "generator" or "plain" for a function that changes its kind, else None."""
        return self.colouring.colour(definition)

    # -- names

    def ctx(self, module: Module, node: ast.AST) -> str:
        """Return the name of the context parameter in the function around ``node`` (or of the function ``node``)."""
        function = module.function_around(node)
        assert function is not None, f"{module.path}:{getattr(node, 'lineno', 0)} stands in no function"
        if function not in self._contexts:
            self._contexts[function] = _free_context_name(function)
        return self._contexts[function]

    # -- edits

    def file(self, module: Module, unit: Unit) -> FileEdits:
        """Return the verbs for a file; the edits belong to the unit's group."""
        plan = self.plans.setdefault(module.path, FilePlan(module))
        return FileEdits(plan, self.groups.name(unit))

    def shim_file(self, module: Module, unit: Unit) -> FileEdits:
        """Return the verbs for a file of a held group that moves onto the shim."""
        plan = self.plans.setdefault(module.path, FilePlan(module))
        return FileEdits(plan, self.shimmed[self.groups.name(unit)])

    def create_file(self, path: str, text: str, unit: Unit) -> None:
        """Create a file that does not exist yet; asking twice for the same text is fine.

        Args:
            path: relative to the root of the run, with forward slashes.
            text: content, with plain line feeds.
            unit: the file belongs to this unit's group.

        Raises:
            ValueError: the path is taken, by a file of the project or by another text.
        """
        made = self.new_files.get(path)
        if path in self.project.paths or (made is not None and made.text != text):
            raise ValueError(f"{path} exists already")
        groups = (made.groups if made is not None else frozenset()) | {self.groups.name(unit)}
        self.new_files[path] = NewFile(path, text, frozenset(groups))

    def rename(self, definition: Definition, name: str, unit: Unit, *, code: str) -> None:
        """Rename a function or class of the project, with every mention: imports, attributes, ``__all__``, annotations.

        Mentions inside nodes that a rule replaces are the rule's business.
        """
        from migrate.plan.renaming import rename_everywhere  # noqa: PLC0415 - it needs Job

        rename_everywhere(self, definition, name, unit, code)

    def make_generator(self, definition: Definition, unit: Unit, *, code: str) -> None:
        """Give a function the signature of a generator: no ``async``, ``ctx: Context``, ``Generator[Any, Any, T]``.

        The engine calls this for every function that is coloured; call it only for functions that hold no durable
        expression and yet must take a context.
        """
        from migrate.plan.signatures import make_generator  # noqa: PLC0415 - it needs Job

        make_generator(self, definition, unit, code)

    # -- findings

    def report(self, module: Module, node: ast.AST, code: str, level: Level, message: str, action: str = "") -> None:  # noqa: PLR0917 - a finding has as many parts
        """Tell the person something about a place."""
        self.findings.append(finding_at(module, node, code, level, message, action))


def _free_context_name(function: Definition) -> str:
    assert isinstance(function.node, (ast.FunctionDef, ast.AsyncFunctionDef))
    used = {node.id for node in walk(function.node) if isinstance(node, ast.Name)}
    used |= _parameters(function.node)
    return next((name for name in CONTEXT_NAMES if name not in used), CONTEXT_NAMES[-1])


def _parameters(node: FunctionNode) -> set[str]:
    return {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
