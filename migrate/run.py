"""A whole run in memory: files in, report with new texts out. Nothing is written here; a dry run ends here."""

from __future__ import annotations

import contextlib
import gc
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.discover import discover
from migrate.engine import plan
from migrate.errors import FileProblem
from migrate.findings import TIERS
from migrate.index.load import load
from migrate.outcome import Outcome, settle
from migrate.report.diff import count
from migrate.report.findings import collect
from migrate.report.model import FileResult, Report
from migrate.report.workflows import workflow_results
from migrate.rules.sources import detect, load_source
from migrate.second import would_change
from migrate.suppress import Suppressions
from migrate.targets import SHIMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from migrate.discover import Tree
    from migrate.index.load import Loaded
    from migrate.index.project import Project
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit
    from migrate.rules.base import Source
    from migrate.settings import Settings


@dataclass
class Run:
    """The result with what a writer needs.

    Attributes:
        report: what is told.
        tree: files of the run.
        loaded: what was read; None if there was no source.
        groups: for each changed file, the groups it belongs to; files that share one are written together.
        units: how many workflows, steps, workers and clients there are.
    """

    report: Report
    tree: Tree
    loaded: Loaded | None = None
    groups: dict[str, set[str]] = field(default_factory=dict)
    units: Counter[str] = field(default_factory=Counter)


def scan(settings: Settings, *, say: Callable[[str], None] = lambda _: None) -> Run:
    """Plan without rendering: inventory, tiers and findings, as a run would have them if all edits can be made."""
    with collector_held():
        return _run(settings, say, dry_run=True, renders=False)


def run(settings: Settings, *, say: Callable[[str], None] = lambda _: None, dry_run: bool = True) -> Run:
    """Do everything but write.

    Args:
        settings: what was asked.
        say: called with the name of each phase.
        dry_run: what the report says about writing.

    Raises:
        UsageError: the paths or the source do not exist.
    """
    with collector_held():
        return _run(settings, say, dry_run=dry_run, renders=True)


def _run(settings: Settings, say: Callable[[str], None], *, dry_run: bool, renders: bool) -> Run:
    began = time.monotonic()
    tree = discover(settings.paths, exclude=settings.exclude)
    name = settings.source if settings.source != "auto" else detect(tree)
    if name is None:
        report = Report("auto", str(tree.root), dry_run, [_skipped(tree.name(file), None) for file in tree.files])
        report.seconds = time.monotonic() - began
        return Run(report, tree)
    source = load_source(name)
    say("reading")
    loaded = load(tree, packages=source.packages, types=source.types)
    say("planning")
    job, suppressions = plan_run(loaded.project, source, settings)
    say("rewriting")
    outcome = _verified(job, source, tree, settings) if renders else Outcome()
    failed: dict[tuple[str, str, str], str] = {}
    while more := _failed(job, outcome, source, settings):  # what cannot be rewritten after all goes to the shim
        failed |= more
        job, suppressions = plan_run(loaded.project, source, settings, failed=failed)
        outcome = _verified(job, source, tree, settings)
    report = Report(source.name, str(tree.root), dry_run)
    report.files = _file_results(loaded, outcome, source, _reasons_to_stay(job))
    report.workflows = workflow_results(job, outcome)
    report.findings = collect(job, loaded, tree, outcome, suppressions, settings)
    report.seconds = time.monotonic() - began
    groups = {path: _groups_of(job, path) - outcome.backed_out.keys() for path in outcome.texts}
    return Run(report, tree, loaded, groups, Counter(unit.kind for unit in job.survey.units))


@contextlib.contextmanager
def collector_held() -> Iterator[None]:
    """Keep the cycle collector away: trees live until the end, and looking at them again costs a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _failed(job: Job, outcome: Outcome, source: Source, settings: Settings) -> dict[tuple[str, str, str], str]:
    """Return what was to be rewritten and could not, each with the reason, where there is a shim to go to.

    Of a group that was backed out it is what stands in the file that failed, else all of the group.
    """
    if source.name not in SHIMS or TIERS.index(settings.max_tier) < TIERS.index("compat"):
        return {}
    found: dict[tuple[str, str, str], str] = {}
    for group, (path, problem) in outcome.backed_out.items():
        units = [one for one in job.survey.units if job.converts(one) and job.groups.name(one) == group]
        if problem.code != "RM008":
            guilty = [one for one in units if one.module.path == path] or units
            found |= {_key(one): f"{path} could not be rewritten: {problem.reason}" for one in guilty}
    return found


def _key(unit: Unit) -> tuple[str, str, str]:
    return unit.kind, unit.name, unit.module.path


def plan_run(
    project: Project, source: Source, settings: Settings, *, failed: Mapping[tuple[str, str, str], str] | None = None
) -> tuple[Job, Suppressions]:
    """Survey and plan, with the comments that hold units back and the rules that are deselected.

    Args:
        project: the index.
        source: rules of one SDK.
        settings: what was asked.
        failed: units that a first attempt could not rewrite, by kind, name and path, with the reason.
    """
    survey = source.survey(project)
    for unit in survey.units:
        reason = (failed or {}).get(_key(unit))
        if reason is not None:
            unit.need("compat", "RM003", unit.node, reason, "Report this, with the file: it is a defect of the tool.")
    suppressions = Suppressions(module.source for module in project.modules.values())
    suppressions.hold_units(survey)
    job = plan(project, source, max_tier=settings.max_tier, survey=survey)
    deselected = FileProblem("RM008", "a rule it needs is deselected")
    job.left_out.update({group: (group.split(":")[0], deselected) for group in unwanted(job, settings)})
    return job, suppressions


def _verified(job: Job, source: Source, tree: Tree, settings: Settings) -> Outcome:
    """Render without the groups that are not wanted; back out those that a second run would change again."""
    _leave_collisions(job, tree)
    while True:
        outcome = settle(job, line_length=settings.line_length, jobs=settings.jobs)
        again = would_change(job, source, outcome, tree.root, lambda other: plan_run(other, source, settings)[0])
        if again is None:
            return outcome
        path, problem = again
        guilty = _groups_of(job, path) - outcome.backed_out.keys()
        if not guilty:  # a file that this run left alone: whatever changed something is to blame
            guilty = {group for one in outcome.texts for group in _groups_of(job, one)} - outcome.backed_out.keys()
        job.left_out.update(dict.fromkeys(guilty, (path, problem)))


def _groups_of(job: Job, path: str) -> set[str]:
    found = set(job.new_files[path].groups) if path in job.new_files else set()
    return found | (job.plans[path].groups() if path in job.plans else set())


def unwanted(job: Job, settings: Settings) -> frozenset[str]:
    """Return the groups that need an edit that was deselected."""
    if not settings.select and not settings.ignore:
        return frozenset()
    found = set()
    for planned in job.plans.values():
        for edit in planned.edits:
            if edit.code.startswith(("RM1", "RM2")) and not is_wanted(edit.code, settings):
                found.add(edit.group)
    return frozenset(found)


def is_wanted(code: str, settings: Settings) -> bool:
    """Tell whether ``--select`` and ``--ignore`` let a code through."""
    if settings.ignore and code.startswith(settings.ignore):
        return False
    return not settings.select or code.startswith(settings.select) or not code.startswith(("RM1", "RM2"))


def _leave_collisions(job: Job, tree: Tree) -> None:
    for new in job.new_files.values():
        file = tree.root / new.path
        if file.exists() and file.read_text("utf-8", "replace") != new.text:
            problem = FileProblem("RM003", "the file to create exists already, with another content")
            job.left_out.update(dict.fromkeys(new.groups, (new.path, problem)))


def _reasons_to_stay(job: Job) -> dict[str, str]:
    """Say for each file with a part that stays on the original SDK what keeps it, findings of its own or not."""
    reasons: dict[str, str] = {}
    for unit in job.survey.units:
        hold = job.groups.hold(unit)
        if hold is not None:
            line = getattr(hold.unit.node, "lineno", 1)
            reasons.setdefault(unit.module.path, f"stays with {hold.unit.module.path}:{line}: {hold.message}")
    return reasons


def _file_results(loaded: Loaded, outcome: Outcome, source: Source, reasons: dict[str, str]) -> list[FileResult]:
    results = [_skipped(path, f"does not use {source.packages[0]}") for path in loaded.skipped]
    for path, problem in loaded.problems.items():
        results.append(FileResult(path, "failed", reason=problem.reason))
    for path, original in loaded.sources.items():
        text = outcome.texts.get(path)
        reason = outcome.problems[path].reason if path in outcome.problems else None
        if text is not None:  # with a reason: a part of it was backed out
            lines = count(original.text, text)
            results.append(FileResult(path, "rewritten", *lines, reason, original.text, text, original.encode(text)))
        elif reason is not None:
            results.append(FileResult(path, "failed", reason=reason))
        else:
            results.append(FileResult(path, "unchanged", reason=reasons.get(path)))
    for path, text in outcome.texts.items():
        if path not in loaded.sources:
            results.append(FileResult(path, "rewritten", *count("", text), None, "", text, text.encode()))
    return sorted(results, key=lambda one: one.path)


def _skipped(path: str, reason: str | None) -> FileResult:
    return FileResult(path, "skipped", reason=reason or "imports neither temporalio nor dbos")
