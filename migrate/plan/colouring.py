"""Which functions become generators: a fixed point over the project's call graph.

A function that holds a durable expression becomes a generator; so does every function that calls one, up to the roots.
Async functions that converted code awaits and that hold nothing durable become plain functions. Whatever stands in the
way is a blocker with its place and reason, and belongs to every unit whose roots reach it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from migrate.index.order import children
from migrate.limits import FIXED_POINT_ROUNDS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.index.model import Definition, Module
    from migrate.index.project import Project
    from migrate.index.references import CallSite
    from migrate.plan.survey import Survey, Unit

Colour: TypeAlias = Literal["generator", "plain"]

#: No ``yield`` may stand in these: it would belong to them, or be a syntax error.
_OWN_SCOPE: Final = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: Code quoted in a message is cut here.
_QUOTED_MAX: Final = 60
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_HARMLESS: Final = frozenset(
    {
        "builtins.staticmethod", "builtins.classmethod", "typing.override", "typing_extensions.override",
        "abc.abstractmethod", "typing.final", "typing.no_type_check",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Blocker:
    """Why a function cannot change its kind.

    Attributes:
        definition: the function.
        module: file of the place that stands in the way.
        node: the place.
        reason: stable key, such as ``comprehension``.
        message: one sentence.
    """

    definition: Definition
    module: Module
    node: ast.AST
    reason: str
    message: str


@dataclass(frozen=True)
class Delegation:
    """A call between functions that change their kind.

    Attributes:
        module: file.
        call: the call.
        node: what is replaced: the ``await`` around the call, or the call.
        caller: function it stands in.
        callee: function that is called.
        colour: what the callee becomes: "generator" asks for ``yield from``, "plain" for nothing.
    """

    module: Module
    call: ast.Call
    node: ast.expr
    caller: Definition
    callee: Definition
    colour: Colour


@dataclass
class Colouring:
    """The result: colours, calls to rewrite, blockers, and the units that each function works for.

    What tests do with functions that change their kind stands in nobody's way; it is kept in ``tests``, to be told.
    """

    generators: set[Definition] = field(default_factory=set)
    plain: set[Definition] = field(default_factory=set)
    delegations: list[Delegation] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    tests: list[Blocker] = field(default_factory=list)
    units: dict[Definition, set[Unit]] = field(default_factory=dict)
    unreached: list[Definition] = field(default_factory=list)

    def colour(self, definition: Definition) -> Colour | None:
        """Return what a function becomes."""
        if definition in self.generators:
            return "generator"
        return "plain" if definition in self.plain else None


def colour_project(project: Project, survey: Survey) -> Colouring:
    """Colour the functions that the survey's sites and roots reach."""
    return _Painter(project, survey).paint()


class _Painter:
    def __init__(self, project: Project, survey: Survey) -> None:
        self.project = project
        self.survey = survey
        self.result = Colouring()
        self.known = {site.node for site in survey.sites} | survey.handled

    def paint(self) -> Colouring:
        result = self.result
        durable = self._durable()
        self._reach()
        result.generators = {one for one in durable if one in result.units}
        holders = {site.module.function_around(site.node) for site in self.survey.sites}
        result.unreached = sorted((durable - result.generators) & holders, key=lambda one: one.qualname)
        result.plain = {
            one
            for one in result.units.keys() - result.generators
            if one.is_async and (one not in self.survey.opaque or one in self.survey.roots)
        }
        for definition in sorted(result.generators | result.plain, key=lambda one: one.qualname):
            self._check_kind(definition)
            self._check_body(definition)
            self._check_uses(definition)
        self._check_sites()
        for definition in result.unreached:
            self._check_unreached(definition)
        return result

    # -- the fixed point

    def _durable(self) -> set[Definition]:
        """Functions that hold a site, and their callers; calls do not carry colour out of opaque functions."""
        found: set[Definition] = set()
        fresh = [
            one for site in self.survey.sites if (one := site.module.function_around(site.node)) is not None
        ]  # fmt: skip
        for _ in range(FIXED_POINT_ROUNDS_MAX):
            fresh = [member for one in fresh for member in self.project.classes.family(one) if member not in found]
            if not fresh:
                return found
            found.update(fresh)
            fresh = [
                site.caller
                for one in fresh
                if one not in self.survey.opaque
                for site in self.project.callers(one)
                if site.caller is not None and site.caller not in found
            ]
        raise AssertionError("the colouring did not settle")

    def _reach(self) -> None:
        """Give each function the units whose roots lead to it."""
        for root, unit in self.survey.roots.items():
            stack, seen = [root], {root}
            while stack:
                current = stack.pop()
                self.result.units.setdefault(current, set()).add(unit)
                for other in self._next(current):
                    if other not in seen and other not in self.survey.opaque:
                        seen.add(other)
                        stack.append(other)

    def _next(self, definition: Definition) -> Iterable[Definition]:
        for site in self.project.callees(definition):
            yield from self.project.classes.family(site.callee)
        for other in definition.module.definitions.values():
            if other.parent is definition and isinstance(other.node, _FUNCTIONS):
                yield other

    # -- what stands in the way

    def _block(
        self, definition: Definition, node: ast.AST, reason: str, message: str, module: Module | None = None
    ) -> None:
        place = module or definition.module
        found = self.result.tests if place.is_test and not definition.module.is_test else self.result.blockers
        found.append(Blocker(definition, place, node, reason, message))

    def _check_kind(self, definition: Definition) -> None:
        node, name = definition.node, definition.name
        assert isinstance(node, _FUNCTIONS)
        if _holds_yield(node):
            self._block(definition, node, "generator", f"{name} is a generator already: its yields mean something else")
        if definition in self.survey.roots:
            return
        if name.startswith("__") and name.endswith("__"):
            self._block(definition, node, "dunder", f"{name} is called by the interpreter, which expects no generator")
        for decorator, meaning in self.project.decorators(definition):
            known = meaning.name if meaning is not None and meaning.kind == "external" else ""
            if known not in _HARMLESS and known not in self.survey.decorators:
                text = ast.unparse(decorator)
                reason = "property" if "property" in known else "decorator"
                self._block(
                    definition, decorator, reason, f"{name} is decorated with @{text}, which expects its present kind"
                )

    def _check_body(self, definition: Definition) -> None:
        """Find what only async functions may hold and that no rule and no delegation takes care of."""
        delegated = {one.node for one in self._delegate(definition)}
        for node in _own_nodes(definition.node):
            asynchronous = isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)) or (
                isinstance(node, ast.comprehension) and bool(node.is_async)
            )
            if asynchronous and node not in self.known and node not in delegated:
                what = _shortened(ast.unparse(node))
                place = node.iter if isinstance(node, ast.comprehension) else node
                self._block(definition, place, "await", f"{definition.name} says {what!r}, which is no durable call")

    def _delegate(self, definition: Definition) -> list[Delegation]:
        found = []
        for site in self.project.callees(definition):
            colour = self.result.colour(site.callee)
            if colour is None or site.callee in self.survey.opaque or site.node in self.survey.handled:
                continue
            parent = site.module.parents.get(site.node)
            awaited = isinstance(parent, ast.Await)
            if awaited and parent in self.survey.handled:
                continue
            if site.callee.is_async and not awaited:
                message = f"the coroutine of {site.callee.name} is kept instead of awaited"
                self._block(definition, site.node, "coroutine", message)
                continue
            node = parent if isinstance(parent, ast.Await) else site.node
            found.append(Delegation(site.module, site.node, node, definition, site.callee, colour))
            if colour == "generator":
                self._check_place(definition, site.module, node)
        self.result.delegations.extend(found)
        return found

    def _check_uses(self, definition: Definition) -> None:
        """A function that changes its kind may be used by converted functions only, and only by calling it."""
        if definition in self.survey.opaque:
            return
        for site in self.project.callers(definition):
            if not self._is_converted(site) and site.node not in self.survey.handled:
                where = site.caller.qualname if site.caller is not None else f"the body of {site.module.name}"
                message = f"{definition.name} is called from {where} too, which is not part of a workflow"
                self._block(definition, site.node, "called elsewhere", message, site.module)
        if definition in self.survey.roots:
            return
        for reference in self.project.references(definition):
            used = reference.kind in ("name", "member") and reference.call is None
            if used and reference.node not in self.survey.handled:
                message = f"{definition.name} is used as a value, so its callers cannot be followed"
                self._block(definition, reference.node, "value", message, reference.module)

    def _is_converted(self, site: CallSite) -> bool:
        return site.caller is not None and site.caller in self.result.units

    def _check_unreached(self, definition: Definition) -> None:
        """A durable method that nobody calls is reached in another way: as a property, by name, by the interpreter."""
        owner = definition.parent
        if owner is None or not isinstance(owner.node, ast.ClassDef):
            return
        related = {owner, *self.project.classes.subclasses(owner), *self.project.classes.mro(owner)}
        units = {unit for root, unit in self.survey.roots.items() if root.parent in related}
        if units:
            self.result.units[definition] = units
            name = definition.name
            message = f"{name} holds a durable call, and nothing that can be followed calls it"
            self._block(definition, definition.node, "unreached", message)

    def _check_sites(self) -> None:
        for site in self.survey.sites:
            function = site.module.function_around(site.node)
            if not site.handled and function is not None and function in self.result.generators:
                self._check_place(function, site.module, site.node)

    def _check_place(self, definition: Definition, module: Module, node: ast.AST) -> None:
        for parent in module.ancestors(node):
            if isinstance(parent, (*_FUNCTIONS, ast.ClassDef)):
                return
            if isinstance(parent, _OWN_SCOPE):
                kind = "lambda" if isinstance(parent, ast.Lambda) else "comprehension"
                message = f"a durable call stands inside a {kind}, where no yield may stand"
                self._block(definition, node, kind, message, module)
                return


def _shortened(text: str) -> str:
    line = text.split("\n", maxsplit=1)[0]
    return line if len(line) <= _QUOTED_MAX else f"{line[:_QUOTED_MAX]}..."


def _own_nodes(node: ast.AST) -> list[ast.AST]:
    """Return the nodes of a function's body, without those of functions and classes inside it."""
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(getattr(node, "body", ()))
    while stack:
        current = stack.pop()
        found.append(current)
        if not isinstance(current, (*_FUNCTIONS, ast.ClassDef)):
            stack.extend(children(current))
    return found


def _holds_yield(node: ast.AST) -> bool:
    return any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in _own_nodes(node))


def units_blocked(colouring: Colouring) -> dict[Unit, list[Blocker]]:
    """Return the blockers of each unit."""
    found: dict[Unit, list[Blocker]] = defaultdict(list)
    for blocker in colouring.blockers:
        for unit in colouring.units.get(blocker.definition, ()):
            found[unit].append(blocker)
    return found
