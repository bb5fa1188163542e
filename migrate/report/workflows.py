"""What became of each workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.report.model import WorkflowResult

if TYPE_CHECKING:
    import ast

    from migrate.findings import Tier
    from migrate.outcome import Outcome
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit


def workflow_results(job: Job, outcome: Outcome) -> list[WorkflowResult]:
    """Return a result for every workflow, by file and line."""
    results = [_result(job, outcome, unit) for unit in job.survey.units if unit.kind == "workflow"]
    return sorted(results, key=lambda one: (one.path, one.line, one.name))


def stays(job: Job, outcome: Outcome, unit: Unit) -> bool:
    """Tell whether a unit is still on the original SDK after the run."""
    return not job.converts(unit) or job.groups.name(unit) in outcome.backed_out


def is_on_shim(job: Job, outcome: Outcome, unit: Unit) -> bool:
    """Tell whether a unit that stays as it is runs on the shim after the run."""
    group = job.shimmed.get(job.groups.name(unit))
    return group is not None and group not in outcome.backed_out


def _result(job: Job, outcome: Outcome, unit: Unit) -> WorkflowResult:
    tier: Tier = job.tier(unit)
    if stays(job, outcome, unit):
        tier = "compat" if is_on_shim(job, outcome, unit) else "manual"
    line = getattr(unit.node, "lineno", 1)
    return WorkflowResult(unit.name, unit.module.path, line, tier, tuple(sorted(_codes(job, unit))))


def first_line(node: ast.AST) -> int:
    """Return the line a node starts on, decorators included."""
    lines: list[int] = [one.lineno for one in getattr(node, "decorator_list", ())]
    return min([getattr(node, "lineno", 1), *lines])


def _codes(job: Job, unit: Unit) -> set[str]:
    """Return the codes of the unit's needs and of the edits inside its definition."""
    codes = {need.code for need in unit.needs}
    plan = job.plans.get(unit.module.path)
    first, last = first_line(unit.node), getattr(unit.node, "end_lineno", 0) or 0
    for edit in plan.edits if plan is not None else ():
        if first <= getattr(edit.node, "lineno", -1) <= last:
            codes.add(edit.code)
    return {code for code in codes if not code.startswith("RM0")}
