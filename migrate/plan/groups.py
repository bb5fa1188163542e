"""Which units move together, and which stay: connected components, held back by their worst member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.findings import TIERS, Tier, worse
from migrate.plan.colouring import units_blocked

if TYPE_CHECKING:
    from migrate.plan.colouring import Colouring
    from migrate.plan.survey import Survey, Unit


@dataclass(frozen=True)
class Hold:
    """Why a group stays on the original SDK.

    Attributes:
        unit: the unit that holds it back.
        tier: that unit's tier.
        message: the first reason.
    """

    unit: Unit
    tier: Tier
    message: str


class Groups:
    """The answer for every unit of a survey."""

    def __init__(self, survey: Survey, colouring: Colouring, max_tier: Tier = "helper") -> None:
        """Plan.

        Args:
            survey: what the source found.
            colouring: functions that change their kind.
            max_tier: units of a worse tier stay, with everything they are linked to. "compat" units have no edits of
                their own: they stay too, and may move onto the shim.
        """
        self._parent: dict[Unit, Unit] = {unit: unit for unit in survey.units}
        self.blocked = units_blocked(colouring)
        self._tiers = {unit: self._own_tier(unit) for unit in survey.units}
        for first, second in survey.links:
            self._join(first, second)
        for units in colouring.units.values():
            first, *others = sorted(units, key=survey.units.index)
            for other in others:
                self._join(first, other)
        limit = min(TIERS.index(max_tier), TIERS.index("helper"))
        self.holds: dict[Unit, Hold] = {}
        self._names: dict[Unit, str] = {}
        for unit in survey.units:
            root = self._root(unit)
            self._names.setdefault(root, f"{unit.module.path}:{getattr(unit.node, 'lineno', 0)}:{unit.name}")
            if TIERS.index(self._tiers[unit]) > limit and root not in self.holds:
                self.holds[root] = Hold(unit, self._tiers[unit], self._reason(unit, limit))

        self._hold_the_rest(survey)

    def _hold_the_rest(self, survey: Survey) -> None:
        """Where no workflow moves, wiring and lone steps stay as well: there would be nothing for them to serve."""
        workflows = [unit for unit in survey.units if unit.kind == "workflow"]
        if not workflows or any(self.converts(unit) for unit in workflows):
            return
        first = self.holds[self._root(workflows[0])]
        for unit in survey.units:
            self.holds.setdefault(self._root(unit), first)

    def name(self, unit: Unit) -> str:
        """Return the name of the unit's group."""
        return self._names[self._root(unit)]

    def tier(self, unit: Unit) -> Tier:
        """Return the unit's own tier, blockers included."""
        return self._tiers[unit]

    def converts(self, unit: Unit) -> bool:
        """Tell whether the unit's group moves."""
        return self._root(unit) not in self.holds

    def held(self) -> frozenset[str]:
        """Return the names of the groups that stay."""
        return frozenset(self._names[root] for root in self.holds)

    def hold(self, unit: Unit) -> Hold | None:
        """Return why the unit's group stays, or None."""
        return self.holds.get(self._root(unit))

    def members(self, unit: Unit) -> list[Unit]:
        """Return the units of the same group."""
        root = self._root(unit)
        return [other for other in self._parent if self._root(other) is root]

    def _own_tier(self, unit: Unit) -> Tier:
        return worse(unit.tier, "manual") if self.blocked.get(unit) else unit.tier

    def _reason(self, unit: Unit, limit: int) -> str:
        for need in unit.needs:
            if need.tier == unit.tier and TIERS.index(need.tier) > limit:
                return need.message or need.action or f"it needs tier {need.tier}"
        blockers = self.blocked.get(unit)
        return blockers[0].message if blockers else f"it needs tier {self._tiers[unit]}"

    def _root(self, unit: Unit) -> Unit:
        while self._parent[unit] is not unit:
            self._parent[unit] = self._parent[self._parent[unit]]
            unit = self._parent[unit]
        return unit

    def _join(self, first: Unit, second: Unit) -> None:
        self._parent[self._root(second)] = self._root(first)
