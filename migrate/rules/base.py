"""What a rule is, what a source is, and how to write them.

A **rule** is one code: a module ``migrate/rules/<source>/rm120_execute_activity.py`` with a constant ``RULE`` that says
what the code means. The same module holds the functions that recognise and rewrite the thing; how they are called is
the source's business.

A **source** is everything about one SDK: ``migrate/rules/<source>/__init__.py`` has a constant ``SOURCE`` with the
members of ``Source`` below. A run goes::

    survey = SOURCE.survey(project)     # read only: which units exist, what they need, what hangs together
    plan   = ...                        # the engine: tiers, colouring, groups; decides what converts
    SOURCE.edit(job)                    # record edits for what converts; the engine applies, verifies, writes

Survey first, then edit: no decision may be taken while editing, because a unit that cannot be converted must be known
before the first edit of anything it is linked to. In ``survey`` call ``unit.need("helper", "RM143", node)`` for a thing
that needs a helper, and ``unit.need("manual", "RM110", node, "message", "what to do")`` for one that stops the unit.

The engine makes the generic edits by itself, for every function that the colouring turns into a generator:
``async def`` to ``def``, parameter ``ctx: Context`` after ``self``, return annotation ``Generator[Any, Any, T]``, and
calls between such functions: ``await self._fee(order)`` to ``yield from self._fee(ctx, order)``. Async functions that
are awaited from those and hold no durable expression become plain functions, and the ``await`` goes. Rules edit
everything else: durable expressions, decorators, classes, workers, clients, imports (the engine removes imports that
nothing uses any more, and adds those asked for with ``file.name``).

A rule's edit::

    def edit(job: Job, unit: Unit, node: ast.Await) -> None:
        file = job.file(module, unit)
        ctx = job.ctx(module, node)                        # name of the context parameter in that function
        file.replace(node, code("yield {}", call(f"{ctx}.run", activity, *arguments)), code="RM120")
        job.report(module, node, "RM512", "note", "summary= has no counterpart and is left out")

Parts of new code are made with ``code``, ``call``, ``block``, ``indented`` of ``migrate.plan.fragments``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.findings import Applicability, Level
    from migrate.index.project import Project
    from migrate.plan.job import Job
    from migrate.plan.survey import Survey

Family: TypeAlias = Literal["engine", "temporal", "dbos", "project", "semantics"]


@dataclass(frozen=True)
class Rule:
    """What one code means; shown by ``explain`` and ``rules``.

    Attributes:
        code: ``RM120``; never used again for something else.
        title: one line, no full stop.
        family: who owns it.
        level: level of its findings.
        applicability: "safe" keeps behaviour, "review" is edited and worth a look, "manual" is not edited.
        what: what it recognises and what becomes of it, with a short example.
        why: why the code has to change or why a person must know.
        action: what a person does about a finding.
        minutes: typical effort for one finding that is left.
    """

    code: str
    title: str
    family: Family
    level: Level
    applicability: Applicability
    what: str
    why: str
    action: str
    minutes: int = 5


class Source(Protocol):
    """Everything about one SDK."""

    @property
    def name(self) -> str:
        """``temporal`` or ``dbos``, as on the command line."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Top-level import names of the SDK; files that have nothing to do with them are skipped."""

    @property
    def types(self) -> Mapping[str, str]:
        """What the SDK's calls and attributes give back; see ``Project``."""

    def survey(self, project: Project) -> Survey:
        """Find units, links, sites and needs. Must not change anything."""

    def edit(self, job: Job) -> None:
        """Record the edits for the units that convert (``job.units()``)."""
