"""What a source (the Temporal or the DBOS rules) tells the engine about a project: units, links, sites, needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from migrate.findings import Finding, Level, Tier, worse

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Definition, Module

UnitKind: TypeAlias = Literal["workflow", "step", "worker", "client", "other"]


@dataclass(frozen=True)
class Need:
    """Why a unit has its tier.

    Attributes:
        tier: what the thing needs.
        code: rule that knows the thing.
        message: what is there; empty for needs that nobody has to read about.
        action: what a person can do.
        module: file of the place.
        node: place.
    """

    tier: Tier
    code: str
    message: str
    action: str
    module: Module
    node: ast.AST


@dataclass(eq=False)
class Unit:
    """A thing that moves to Resonate as a whole, or stays.

    Attributes:
        kind: only workflows are counted and reported by name; steps, workers and clients move with them.
        name: registered name of a workflow or step, else something a person recognises.
        module: file.
        node: definition, or the statement or call that stands for a worker or client.
        definition: the function or class, if there is one.
        needs: reasons for its tier.
        data: the rules' own notes on it; the engine does not look at it.
    """

    kind: UnitKind
    name: str
    module: Module
    node: ast.AST
    definition: Definition | None = None
    needs: list[Need] = field(default_factory=list)
    data: object = None

    @property
    def tier(self) -> Tier:
        """Worst tier of what it needs itself; the plan may find a worse one."""
        tier: Tier = "idiomatic"
        for need in self.needs:
            tier = worse(tier, need.tier)
        return tier

    def need(
        self, tier: Tier, code: str, node: ast.AST, message: str = "", action: str = "", *, module: Module | None = None
    ) -> None:
        """Note what the unit needs. ``compat`` and ``manual`` keep it (and what hangs on it) on the original SDK."""
        self.needs.append(Need(tier, code, message, action, module or self.module, node))


@dataclass(frozen=True)
class DurableSite:
    """An expression that becomes ``yield ...``.

    Attributes:
        module: file.
        node: the outermost expression that is replaced: the ``await`` if there is one, else the call.
        handled: the rules rewrite the statement around it, so a place where no ``yield`` may stand (a comprehension, a
            lambda) is no obstacle.
    """

    module: Module
    node: ast.expr
    handled: bool = False


@dataclass(frozen=True)
class Bridge:
    """Two units between which a shim can stand; see ``plan.groups``.

    Attributes:
        user: cannot move unless ``used`` moves.
        used: may move although ``user`` stays on the shim.
        is_breakable: whether what the user's surroundings do can take the bridge away.
        carries: whether ``user`` may move even if ``used`` stays, as long as its own users stay: the shim's worker then
            runs both.
        needs_shim: whether only a shim can stand between them; where the original can as well, this is no link without
            one.
    """

    user: Unit
    used: Unit
    is_breakable: bool = True
    carries: bool = False
    needs_shim: bool = True


@dataclass
class Survey:
    """Everything a source found. Filled by ``Source.survey``; the engine plans from it.

    Attributes:
        units: what moves or stays.
        nested: workflows that are made inside something else, by name, with the unit of that.
        links: pairs that must share their fate: a workflow and its steps, its worker, the clients that start it.
        together: units of which those that move are written together, or none of them.
        loose: pairs of which one addresses the other by its id: each can move alone where the shim serves both.
        bridges: pairs of which one can move while the other one stays on the shim.
        unbridged: units that stop the bridges of all that they are linked to, with the reason.
        sites: durable expressions. The functions they stand in become generators, and so do the callers of those, up
            to the roots.
        roots: functions that the runtime calls (entries, handlers), each with its unit. They may become generators
            without anyone having to call them differently. Async functions awaited from a converted function that hold
            no durable expression become plain functions.
        opaque: steps, and workflows that are called as workflows: calls of these are sites, colour does not pass them.
        handled: calls of coloured functions that the rules rewrite themselves (``gather(self._a())``): colour passes,
            but the engine writes no ``yield from``.
        decorators: external names of decorators that do not hinder a function from becoming a generator (besides
            ``staticmethod``, ``classmethod``, ``typing.override``, ``abstractmethod``).
        own_signature: coloured functions whose ``def`` line the rules write; the engine leaves it alone.
        findings: what is to be said about places that belong to no unit.
    """

    units: list[Unit] = field(default_factory=list)
    nested: list[tuple[str, Definition, Unit]] = field(default_factory=list)
    links: list[tuple[Unit, Unit]] = field(default_factory=list)
    together: list[list[Unit]] = field(default_factory=list)
    loose: list[tuple[Unit, Unit]] = field(default_factory=list)
    bridges: list[Bridge] = field(default_factory=list)
    unbridged: dict[Unit, str] = field(default_factory=dict)
    sites: list[DurableSite] = field(default_factory=list)
    roots: dict[Definition, Unit] = field(default_factory=dict)
    opaque: set[Definition] = field(default_factory=set)
    handled: set[ast.AST] = field(default_factory=set)
    decorators: set[str] = field(default_factory=set)
    own_signature: set[Definition] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def unit(
        self, kind: UnitKind, name: str, module: Module, node: ast.AST, definition: Definition | None = None
    ) -> Unit:
        """Add a unit."""
        unit = Unit(kind, name, module, node, definition)
        self.units.append(unit)
        return unit

    def link(self, first: Unit, second: Unit) -> None:
        """Say that two units move together or not at all."""
        self.links.append((first, second))

    def site(self, module: Module, node: ast.expr, *, handled: bool = False) -> None:
        """Add a durable expression."""
        self.sites.append(DurableSite(module, node, handled))

    def root(self, definition: Definition, unit: Unit) -> None:
        """Say that the runtime calls ``definition`` as part of ``unit``."""
        self.roots[definition] = unit

    def report(self, module: Module, node: ast.AST, code: str, level: Level, message: str, action: str = "") -> None:  # noqa: PLR0917 - a finding has as many parts
        """Say something about a place, whether or not anything changes there."""
        self.findings.append(finding_at(module, node, code, level, message, action))


def finding_at(module: Module, node: ast.AST, code: str, level: Level, message: str, action: str = "") -> Finding:  # noqa: PLR0917 - a finding has as many parts
    """Make a finding for a node."""
    definition = module.definition_around(node)
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    text = module.source.line(line)
    if not text.isascii():  # ast counts bytes, people count characters
        column = len(text.encode()[:column].decode("utf-8", "replace"))
    symbol = definition.qualname if definition is not None else ""
    return Finding(module.path, line, column + 1, code, level, message, action, symbol)
