"""Which units move together, and which stay.

These relations hold units together.

* A **link**: both move, or neither does. A workflow and the helper that calls its activities, two functions that hand
  one client on.
* A **bridge** from a user to what it uses, where a shim can stand between them. The user cannot move without the
  used: a rewritten worker cannot run a class of the old SDK. The used can move without the user, because the shim's
  worker and client take rewritten workflows beside the old ones. So a schedule that cannot be rewritten keeps the
  client on the shim, and the workflow that it starts is rewritten all the same.
* A bridge may **carry**: then the user can move although the used stays, if the shim's worker runs the user, so that
  the users of the user stay. A rewritten workflow calls an activity that nothing could be done about.
* A **loose** link: who addresses an execution by its id, sends it a message or asks for its events and its result, does
  so across the shim as well as within it. It holds only where there is no shim, or where the shim cannot take one side.
* A test is a user of all that it tests, with or without a shim: it never holds anything.
* Where the user does something for which the shim has nothing to offer rewritten code (its own data converter would
  write what only it can read), the user is **unbridged**: its bridges count as links.

What stays is a fixed point: whoever needs more than the run allows stays, with its links and with all its users. What
moves and has to do with each other is one group, written together or not at all; so is what stays, which moves onto the
shim as one, if it does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.findings import TIERS, Tier, worse
from migrate.plan.colouring import units_blocked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrate.plan.colouring import Colouring
    from migrate.plan.survey import Bridge, Survey, Unit


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


class _Joined:
    """Disjoint sets of units."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.parent: dict[Unit, Unit] = {unit: unit for unit in units}

    def root(self, unit: Unit) -> Unit:
        parent = self.parent
        while parent[unit] is not unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    def join(self, first: Unit, second: Unit) -> bool:
        """Join two sets; say whether they were two."""
        one, other = self.root(first), self.root(second)
        self.parent[other] = one
        return one is not other


class Groups:
    """The answer for every unit of a survey."""

    def __init__(
        self,
        survey: Survey,
        colouring: Colouring,
        max_tier: Tier = "helper",
        *,
        unshimmed: Mapping[Unit, str] | None = None,
    ) -> None:
        """Plan.

        Args:
            survey: what the source found.
            colouring: functions that change their kind.
            max_tier: units of a worse tier stay, with everything they are linked to. "compat" units have no edits of
                their own: they stay too, and may move onto the shim. Below "compat" only tests have bridges.
            unshimmed: units that the shim cannot take, so that they cannot be bridged either.
        """
        self._survey = survey
        self.blocked = units_blocked(colouring)
        self._tiers = {unit: self._own_tier(unit) for unit in survey.units}
        self._limit = min(TIERS.index(max_tier), TIERS.index("helper"))
        self._unshimmed = unshimmed or {}
        self._has_shim = TIERS.index(max_tier) >= TIERS.index("compat")
        linked = self._linked(colouring)
        self._held = self._hold(linked)
        self._hold_the_rest(linked)
        self._joined = self._grouped(linked)
        self._names: dict[Unit, str] = {}
        for unit in survey.units:
            root = self._joined.root(unit)
            self._names.setdefault(root, f"{unit.module.path}:{getattr(unit.node, 'lineno', 0)}:{unit.name}")

    # -- the plan

    def _linked(self, colouring: Colouring) -> _Joined:
        """Join what shares its fate, bridges that do not bear included."""
        survey = self._survey
        linked = _Joined(survey.units)
        for first, second in survey.links:
            linked.join(first, second)
        order = {unit: place for place, unit in enumerate(survey.units)}
        for units in colouring.units.values():
            first, *others = sorted(units, key=order.__getitem__)
            for other in others:
                linked.join(first, other)
        changed = True
        while changed:
            changed = False
            broken = {linked.root(unit) for unit in survey.unbridged}
            without = {linked.root(unit) for unit in self._unshimmed}
            for bridge in survey.bridges:
                user = linked.root(bridge.user)
                is_down = not self._has_shim or (bridge.is_breakable and user in broken) or user in without
                if is_down and bridge.needs_shim and not bridge.user.module.is_test:
                    changed = linked.join(bridge.user, bridge.used) or changed
            for first, second in survey.loose:
                is_down = not self._has_shim or linked.root(first) in without or linked.root(second) in without
                if is_down and not (first.module.is_test or second.module.is_test):
                    changed = linked.join(first, second) or changed
        return linked

    def _hold(self, linked: _Joined) -> dict[Unit, Hold]:
        """Return the sets of linked units that stay, each with what holds it."""
        held: dict[Unit, Hold] = {}
        for unit in self._survey.units:
            root = linked.root(unit)
            if TIERS.index(self._tiers[unit]) > self._limit and root not in held:
                held[root] = Hold(unit, self._tiers[unit], self._reason(unit))
        users: dict[Unit, list[Bridge]] = defaultdict(list)
        for bridge in self._survey.bridges:
            users[linked.root(bridge.used)].append(bridge)
        fresh = list(held)
        while fresh:
            used = fresh.pop()
            for bridge in users[used]:
                user = linked.root(bridge.user)
                stay = [user]
                if self._can_carry(bridge, linked, users[user]):
                    stay = [linked.root(one.user) for one in users[user]]
                for root in stay:
                    if root not in held:
                        held[root] = held[used]
                        fresh.append(root)
        return held

    def _can_carry(self, bridge: Bridge, linked: _Joined, hosts: list[Bridge]) -> bool:
        """Say whether the user of what stays can move: somebody else's worker, which stays too, runs it."""
        user = linked.root(bridge.user)
        refused = {linked.root(unit) for unit in self._unshimmed}
        others = [one for one in hosts if linked.root(one.user) is not user and not one.user.module.is_test]
        return (
            bridge.carries
            and self._has_shim
            and bool(others)
            and len(others) == len([one for one in hosts if not one.user.module.is_test])
            and linked.root(bridge.used) not in refused
            and not any(linked.root(one.user) in refused for one in others)
        )

    def _hold_the_rest(self, linked: _Joined) -> None:
        """What would move and serves nobody who moves stays as well: lone steps, and wiring where no workflow moves."""
        users: dict[Unit, list[Unit]] = defaultdict(list)
        for bridge in self._survey.bridges:
            if bridge.needs_shim and not bridge.user.module.is_test:
                users[linked.root(bridge.used)].append(bridge.user)
        workflows = [linked.root(unit) for unit in self._survey.units if unit.kind == "workflow"]
        alive = set(workflows) - self._held.keys()
        for unit in self._survey.units:
            root = linked.root(unit)
            if root in self._held or root in alive:
                continue
            served = [user for user in users[root] if user.kind == "workflow"] or users[root]
            holds = [self._held[used] for user in served if (used := linked.root(user)) in self._held]
            if holds and len(holds) == len(served):
                self._held[root] = holds[0]
            elif workflows and not alive:
                self._held[root] = self._held[workflows[0]]

    def _grouped(self, linked: _Joined) -> _Joined:
        """Join what moves with what moves, and what stays with what stays."""
        roots = {unit: linked.root(unit) for unit in linked.parent}
        self._held_units = {unit: self._held[root] for unit, root in roots.items() if root in self._held}
        joined = _Joined(self._survey.units)
        for unit in self._survey.units:
            joined.join(linked.root(unit), unit)
        for bridge in self._survey.bridges:
            stay = bridge.user in self._held_units
            if stay == (bridge.used in self._held_units) and not (stay and bridge.user.module.is_test):
                joined.join(bridge.user, bridge.used)
        for units in self._survey.together:
            moving = [unit for unit in units if unit not in self._held_units]
            for unit in moving[1:]:
                joined.join(moving[0], unit)
        return joined

    # -- the answers

    def name(self, unit: Unit) -> str:
        """Return the name of the unit's group."""
        return self._names[self._joined.root(unit)]

    def tier(self, unit: Unit) -> Tier:
        """Return the unit's own tier, blockers included."""
        return self._tiers[unit]

    def converts(self, unit: Unit) -> bool:
        """Tell whether the unit's group moves."""
        return unit not in self._held_units

    def held(self) -> frozenset[str]:
        """Return the names of the groups that stay."""
        return frozenset(self.name(unit) for unit in self._held_units)

    def hold(self, unit: Unit) -> Hold | None:
        """Return why the unit's group stays, or None."""
        return self._held_units.get(unit)

    def members(self, unit: Unit) -> list[Unit]:
        """Return the units of the same group."""
        root = self._joined.root(unit)
        return [other for other in self._survey.units if self._joined.root(other) is root]

    def carried(self) -> list[tuple[Unit, Unit]]:
        """Return (user, used) where the user moves and the used stays: the shim's worker runs both."""
        return [
            (bridge.user, bridge.used)
            for bridge in self._survey.bridges
            if self.converts(bridge.user) and not self.converts(bridge.used)
        ]

    def bridged(self) -> list[tuple[Unit, Unit]]:
        """Return (user, used) where the user stays and the used moves: the shim stands between them."""
        return [
            (bridge.user, bridge.used)
            for bridge in self._survey.bridges
            if not self.converts(bridge.user) and self.converts(bridge.used)
        ]

    def _own_tier(self, unit: Unit) -> Tier:
        return worse(unit.tier, "manual") if self.blocked.get(unit) else unit.tier

    def _reason(self, unit: Unit) -> str:
        for need in unit.needs:
            if need.tier == unit.tier and TIERS.index(need.tier) > self._limit:
                return need.message or need.action or f"it needs tier {need.tier}"
        blockers = self.blocked.get(unit)
        return blockers[0].message if blockers else f"it needs tier {self._tiers[unit]}"
