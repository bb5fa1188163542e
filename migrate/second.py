"""Would a second run change anything? The result is planned again, from the texts in memory."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.engine import plan
from migrate.errors import FileProblem
from migrate.index.build import build_module
from migrate.index.project import Project
from migrate.outcome import settle
from migrate.source import parse

if TYPE_CHECKING:
    from migrate.findings import Tier
    from migrate.index.model import Module
    from migrate.outcome import Outcome
    from migrate.plan.job import Job
    from migrate.rules.base import Source


def would_change(job: Job, source: Source, outcome: Outcome, max_tier: Tier) -> tuple[str, FileProblem] | None:
    """Return the first file that a second run would change, with the problem to report, or None."""
    if not outcome.texts or not _imports_sdk(job, outcome):
        return None
    modules = [_after(module, outcome) for module in job.project.modules.values()]
    again = Project(modules, packages=source.packages, types=source.types)
    held = {unit.name for unit in job.survey.units if job.groups.name(unit) in outcome.backed_out}
    second = settle(plan(again, source, max_tier=max_tier))
    for path in sorted(second.texts):
        if path in outcome.texts and not _only_backed_out(job, path, outcome, held):
            return path, FileProblem("RM003", f"a second run would change {path} again")
    return None


def _imports_sdk(job: Job, outcome: Outcome) -> bool:
    packages = job.project.packages
    names = "|".join(re.escape(name) for name in sorted(packages))
    pattern = re.compile(rf"^[ \t]*(?:from|import)[ \t]+(?:{names})\b", re.MULTILINE)
    texts = (outcome.texts.get(path, module.source.text) for path, module in job.project.paths.items())
    return any(pattern.search(text) for text in texts)


def _after(module: Module, outcome: Outcome) -> Module:
    text = outcome.texts.get(module.path)
    if text is None:
        return module
    source = replace(module.source, text=text)
    return build_module(source, parse(source), module.name, is_package=module.is_package)


def _only_backed_out(job: Job, path: str, outcome: Outcome, held: set[str]) -> bool:
    """A group that was backed out would be tried again: that is no change of what was done."""
    return bool(held) and path in job.plans and bool(job.plans[path].groups() & outcome.backed_out.keys())
