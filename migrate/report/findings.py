"""All findings of a run: what the rules said, what holds groups back, what failed, what is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.findings import TIERS, Finding
from migrate.plan.survey import finding_at
from migrate.project_files import project_findings
from migrate.report.beside import is_told_elsewhere, refused_findings, test_findings, wiring_findings
from migrate.report.workflows import is_on_shim, stays
from migrate.verify import sdk_imports

if TYPE_CHECKING:
    from migrate.discover import Tree
    from migrate.index.load import Loaded
    from migrate.outcome import Outcome
    from migrate.plan.groups import Hold
    from migrate.plan.job import Job
    from migrate.plan.survey import Need, Unit
    from migrate.settings import Settings
    from migrate.suppress import Suppressions


def collect(  # noqa: PLR0917 - every part of the run is asked
    job: Job, loaded: Loaded, tree: Tree, outcome: Outcome, suppressions: Suppressions, settings: Settings
) -> list[Finding]:
    """Return the findings of a run, sorted, without those that are suppressed or ignored."""
    found = [*job.survey.findings]
    backed_out = {path for path, plan in job.plans.items() if plan.groups() <= outcome.backed_out.keys()}
    found += [one for one in job.findings if one.path not in backed_out]
    for unit in job.survey.units:
        told = [need for need in unit.needs if need.message and not is_told_elsewhere(job, outcome, unit, need)]
        found += [_need(need, is_on_shim=is_on_shim(job, outcome, unit)) for need in told]
    found += wiring_findings(job, outcome)
    found += test_findings(job, outcome)
    found += refused_findings(job, outcome)
    found += _blockers(job)
    found += _held_back(job, outcome)
    found += _on_shim(job, outcome)
    found += _backed_out(job, outcome)
    found += [Finding(path, one.line, 1, one.code, "error", one.reason) for path, one in loaded.problems.items()]
    found += [Finding(path, one.line, 1, one.code, "error", one.reason) for path, one in outcome.problems.items()]
    found += [
        Finding(path, one.line, 1, one.code, "error", one.reason)
        for path, one in job.left_out.values()
        if one.code == "RM003"
    ]
    found += _leftovers(job, outcome, found)
    found += _untouched(job, outcome, found)
    found += _duplicates(job)
    found += project_findings(tree, job, outcome)
    shown = suppressions.hide(sorted(set(found)))
    shown += suppressions.unused()
    return sorted(one for one in shown if not (settings.ignore and one.code.startswith(settings.ignore)))


def _need(need: Need, *, is_on_shim: bool) -> Finding:
    level = "note"
    if TIERS.index(need.tier) >= TIERS.index("compat"):
        level = "review" if is_on_shim else "manual"  # on the shim it works: nothing has to be done
    return finding_at(need.module, need.node, need.code, level, need.message, need.action)  # type: ignore[arg-type]


def _blockers(job: Job) -> list[Finding]:
    action = "Call it directly from converted code only, or turn it into a step."
    found = [finding_at(one.module, one.node, "RM010", "manual", one.message, action) for one in job.colouring.blockers]
    for definition in job.colouring.unreached:
        message = f"{definition.name} holds durable calls, but no workflow calls it"
        found.append(
            finding_at(definition.module, definition.node, "RM012", "review", message, "Remove it or call it.")
        )
    return found


def _held_back(job: Job, outcome: Outcome) -> list[Finding]:
    found = []
    for unit in job.survey.units:
        hold = job.groups.hold(unit)
        if hold is None or unit.kind != "workflow" or is_on_shim(job, outcome, unit):
            continue
        missing = job.unshimmed.get(job.groups.name(unit))
        if missing is not None:
            found.append(_refused(unit, hold, missing))
        elif hold.unit is not unit and not _has_own_reason(job, unit):
            found.append(_stays(unit, hold))
    return found


def _refused(unit: Unit, hold: Hold, missing: str) -> Finding:
    message = f"{unit.name} stays on the original SDK: {hold.message}; nor can the shim take it, because {missing}"
    action = "Solve the first to get generator code, or the second to run on the shim."
    return finding_at(unit.module, unit.node, "RM008", "manual", message, action)


def _on_shim(job: Job, outcome: Outcome) -> list[Finding]:
    found = []
    for unit in job.survey.units:
        hold = job.groups.hold(unit)
        if hold is None or unit.kind != "workflow" or not is_on_shim(job, outcome, unit):
            continue
        message = f"{unit.name} keeps its code and runs on the shim: {hold.message}"
        action = "Nothing has to be done for it to run. Solve the reason to get generator code."
        found.append(finding_at(unit.module, unit.node, "RM013", "review", message, action))
    return found


def _has_own_reason(job: Job, unit: Unit) -> bool:
    return bool(job.groups.blocked.get(unit)) or any(need.tier in ("compat", "manual") for need in unit.needs)


def _stays(unit: Unit, hold: Hold) -> Finding:
    other = hold.unit
    place = f"{other.module.path}:{getattr(other.node, 'lineno', 1)}"
    what = f"it belongs together with {other.kind} {other.name} ({place})"
    message = f"{unit.name} stays as it is, because {what}: {hold.message}"
    action = f"Solve what holds {other.name} back, or separate the two (workers, steps and clients are shared)."
    return finding_at(unit.module, unit.node, "RM008", "manual", message, action)


def _backed_out(job: Job, outcome: Outcome) -> list[Finding]:
    found = []
    for unit in job.survey.units:
        if unit.kind == "workflow" and job.converts(unit) and job.groups.name(unit) in outcome.backed_out:
            path, problem = outcome.backed_out[job.groups.name(unit)]
            failed = problem.code != "RM008"
            why = f"because {path} could not be rewritten: {problem.reason}" if failed else f"because {problem.reason}"
            action = "Solve that and run again." if failed else "Run again without --select or --ignore."
            message = f"{unit.name} stays as it is, {why}"
            found.append(finding_at(unit.module, unit.node, "RM008", "manual", message, action))
    return found


def _leftovers(job: Job, outcome: Outcome, known: list[Finding]) -> list[Finding]:
    """No import of the old SDK stays in a rewritten file without a word."""
    explained = {one.path for one in known if one.level in ("manual", "error")}
    explained |= {unit.module.path for unit in job.survey.units if stays(job, outcome, unit)}
    found = []
    names = job.project.packages
    for path, text in outcome.texts.items():
        if path not in explained:
            module = job.project.paths.get(path)
            before = (
                {name: line for line, name in reversed(sdk_imports(module.source.text, names))}
                if module is not None
                else {}
            )
            for line, name in sdk_imports(text, names):
                action = "Remove it, or move what uses it by hand."
                found.append(
                    Finding(
                        path,
                        before.get(name, line),
                        1,
                        "RM304",
                        "manual",
                        f"the import of {name} is still used",
                        action,
                    )
                )
    return found


def _untouched(job: Job, outcome: Outcome, known: list[Finding]) -> list[Finding]:
    """No file that only imports the SDK, or that the shim cannot take, stays as it is without a word."""
    explained = {one.path for one in known} | outcome.texts.keys()
    reasons: dict[str, str] = {}
    for unit in job.survey.units:
        missing = job.unshimmed.get(job.groups.name(unit))
        reasons.setdefault(unit.module.path, f"the shim cannot take it, because {missing}" if missing else "")
    found = []
    for path, module in job.project.paths.items():
        why = reasons.get(path, "nothing in this file uses it")
        if path in explained or not why:
            continue
        for line, name in sdk_imports(module.source.text, job.project.packages)[:1]:
            action = "Solve the reason, or remove the import."
            found.append(Finding(path, line, 1, "RM304", "review", f"the import of {name} stays: {why}", action))
    return found


def _duplicates(job: Job) -> list[Finding]:
    first: dict[str, Unit] = {}
    found = []
    for unit in job.survey.units:
        if unit.kind != "workflow":
            continue
        other = first.setdefault(unit.name, unit)
        if other is not unit:
            place = f"{other.module.path}:{getattr(other.node, 'lineno', 1)}"
            message = f"two workflows are called {unit.name}; the other one is at {place}"
            action = "Give one of them another name if the same worker registers both."
            found.append(finding_at(unit.module, unit.node, "RM011", "review", message, action))
    return found
