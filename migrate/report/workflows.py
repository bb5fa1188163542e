"""What became of each workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.report.model import WorkflowResult

if TYPE_CHECKING:
    import ast

    from migrate.findings import Tier
    from migrate.index.model import Definition
    from migrate.outcome import Outcome
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit


def workflow_results(job: Job, outcome: Outcome) -> list[WorkflowResult]:
    """Return a result for every workflow, by file and line."""
    results = [_result(job, outcome, unit) for unit in job.survey.units if unit.kind == "workflow"]
    results += [_nested(job, outcome, *one) for one in job.survey.nested]
    return sorted(results, key=lambda one: (one.path, one.line, one.name))


def stays(job: Job, outcome: Outcome, unit: Unit) -> bool:
    """Tell whether a unit is still on the original SDK after the run."""
    return not job.converts(unit) or job.groups.name(unit) in outcome.backed_out


def is_on_shim(job: Job, outcome: Outcome, unit: Unit) -> bool:
    """Tell whether a unit that stays as it is runs on the shim after the run."""
    group = job.shimmed.get(job.groups.name(unit))
    return group is not None and group not in outcome.backed_out


def _result(job: Job, outcome: Outcome, unit: Unit) -> WorkflowResult:
    line = getattr(unit.node, "lineno", 1)
    return WorkflowResult(
        unit.name, unit.module.path, line, _tier(job, outcome, unit), tuple(sorted(_codes(job, unit)))
    )


def _nested(job: Job, outcome: Outcome, name: str, definition: Definition, unit: Unit) -> WorkflowResult:
    """A workflow class inside a function or class has the fate of that."""
    codes = {need.code for need in unit.needs if definition.module.definition_around(need.node) is definition}
    line, tier = definition.node.lineno, _tier(job, outcome, unit)
    return WorkflowResult(name, definition.module.path, line, tier, tuple(sorted(codes)))


def _tier(job: Job, outcome: Outcome, unit: Unit) -> Tier:
    if not stays(job, outcome, unit):
        return job.tier(unit)
    return "compat" if is_on_shim(job, outcome, unit) else "manual"


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
