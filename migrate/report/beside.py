"""What is said of files that stay while what they use is rewritten: wiring on the shim, and tests."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from migrate.findings import TIERS, Finding
from migrate.plan.survey import finding_at
from migrate.report.workflows import is_on_shim, stays
from migrate.targets import SHIMS

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.outcome import Outcome
    from migrate.plan.colouring import Blocker
    from migrate.plan.job import Job
    from migrate.plan.survey import Need, Unit

#: Names listed in one sentence; the rest is counted.
_NAMED_MAX = 3


def wiring_findings(job: Job, outcome: Outcome) -> list[Finding]:
    """Return one finding for each file whose clients or workers stay on the shim and serve what is rewritten."""
    served: dict[Module, dict[Unit, list[str]]] = defaultdict(lambda: defaultdict(list))
    for user, used in job.groups.bridged():
        is_served = used.kind == "workflow" and not stays(job, outcome, used)
        if is_served and user.kind != "workflow" and not user.module.is_test and is_on_shim(job, outcome, user):
            served[user.module][user].append(used.name)
    found = []
    for units in served.values():
        unit = min(units, key=lambda one: getattr(one.node, "lineno", 0))
        hold = job.groups.hold(unit)
        assert hold is not None, "a bridge's user stays"
        names = sorted({name for listed in units.values() for name in listed})
        message = f"stays on the shim and serves {_listed(names)}, rewritten: {hold.message}"
        action = "Nothing has to be done for it to run. Solve the reason to do without the shim."
        found.append(finding_at(unit.module, unit.node, "RM014", "review", message, action))
    return found


def test_findings(job: Job, outcome: Outcome) -> list[Finding]:
    """Return one finding for each test file that stays although something it uses is rewritten."""
    held: dict[Module, list[Unit]] = defaultdict(list)
    for user, used in job.groups.bridged():
        if user.module.is_test and not used.module.is_test and not stays(job, outcome, used):
            held[user.module].append(user)
    broken: dict[Module, list[Blocker]] = defaultdict(list)
    for blocker in job.colouring.tests:
        if any(not stays(job, outcome, unit) for unit in job.colouring.units.get(blocker.definition, ())):
            broken[blocker.module].append(blocker)
    return [_test(job, outcome, module, held[module], broken[module]) for module in {**held, **broken}]


def refused_findings(job: Job, outcome: Outcome) -> list[Finding]:
    """Return one finding for each place of a file on the shim that the shim refuses when it is reached."""
    shim = SHIMS.get(job.source)
    files = {one.module for one in job.survey.units if is_on_shim(job, outcome, one)} if shim is not None else set()
    found: dict[tuple[str, int], Finding] = {}
    for module in sorted(files, key=lambda one: one.path):
        for node in module.sites:
            name = _refused(job, module, node) if isinstance(node, ast.expr) else ""
            if name and isinstance(node, ast.expr) and (module.path, node.lineno) not in found:
                message = f"{name} raises UnsupportedFeatureError on the shim, when it is reached"
                action = "Remove it, or do without it: Resonate has nothing like it."
                place = module.path, node.lineno
                found[place] = finding_at(module, node, "RM016", "manual", message, action)
    return list(found.values())


def _refused(job: Job, module: Module, node: ast.expr) -> str:
    """Return the name or option that the shim refuses, or nothing."""
    shim = SHIMS[job.source]
    if isinstance(node, (ast.Attribute, ast.Name)):
        name = job.project.external(module, node)
        whole = not isinstance(module.parents.get(node), ast.Attribute)
        return name if whole and shim.raises(name) else ""
    if isinstance(node, ast.Call) and job.project.external(module, node.func).startswith(f"{shim.package}."):
        for keyword in node.keywords:
            is_nothing = isinstance(keyword.value, ast.Constant) and not keyword.value.value
            if keyword.arg in shim.raising_options and not is_nothing:
                return f"{keyword.arg}="
    return ""


def _test(job: Job, outcome: Outcome, module: Module, held: list[Unit], broken: list[Blocker]) -> Finding:
    where = [unit.node for unit in held] + [blocker.node for blocker in broken]
    node = min(where, key=lambda one: getattr(one, "lineno", 1))
    if broken:
        names = _listed(sorted({blocker.definition.name for blocker in broken}))
        message = f"this test uses {names} as before, in the form that is rewritten: it fails until a person adapts it"
        return finding_at(module, node, "RM015", "manual", message, "Start the workflow, or drive the generator.")
    if all(is_on_shim(job, outcome, unit) for unit in held):
        message = "this test keeps its text and runs on the shim, against the rewritten code"
        action = "Run it. The cause of a failure is the error itself now, without an ActivityError around it."
        return finding_at(module, node, "RM015", "review", message, action)
    reason = next((f": {need.message}" for unit in held for need in unit.needs if need.message), "")
    message = f"this test stays on the original SDK, in the form of before: it fails until a person adapts it{reason}"
    return finding_at(module, node, "RM015", "manual", message, "Write it for Resonate('memory:').")


def _listed(names: list[str]) -> str:
    """Name some, count the rest."""
    if len(names) <= _NAMED_MAX:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED_MAX])} and {len(names) - _NAMED_MAX} more"


def is_told_elsewhere(job: Job, outcome: Outcome, unit: Unit, need: Need) -> bool:
    """Whether a need is one of many in a file of tests, for which one finding speaks."""
    return (
        bool(job.survey.bridges)
        and unit.module.is_test
        and unit.kind != "workflow"
        and TIERS.index(need.tier) >= TIERS.index("compat")
        and stays(job, outcome, unit)
    )
